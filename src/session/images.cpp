#include "session/images.h"

#include <cmath>

#include "base/error.h"
#include "model/shape.h"

namespace velum::session {

Pixels pixels_of(const Images& images, const std::vector<std::int64_t>& shape) {
  const std::size_t given = images.is_bytes() ? images.byte_values().size() : images.float_values().size();
  Pixels p;
  p.elements = static_cast<std::size_t>(model::element_count(shape));
  if (given == 0 || given % p.elements != 0)
    fail_user("images: {} values were given, the network takes a whole number of images of {} = {} values",
              given, model::to_string(shape), p.elements);
  const double black = images.black(), white = images.white();
  if (!(black < white) || !std::isfinite(white - black))
    fail_user("images: black is {} and white is {}, two numbers expected, the first of them smaller", black,
              white);
  const bool last = images.order() == PixelOrder::channels_last;
  if (last && shape.size() != 3)
    fail_user("images: channels come last, but the network takes {}, which has none; give channels_first",
              model::to_string(shape));
  if (!images.is_bytes() && !last && black == 0 && white == 1) {
    p.values = images.float_values();
    return p;
  }
  const auto channels = last ? static_cast<std::size_t>(shape[0]) : 1, places = p.elements / channels;
  p.converted.resize(given);
  const double factor = 1 / (white - black);
  for (std::size_t at = 0; at < given; at += p.elements)
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t i = 0; i < places; ++i) {
        const auto from = at + i * channels + c;
        const double x = images.is_bytes() ? images.byte_values()[from] : images.float_values()[from];
        p.converted[at + c * places + i] = static_cast<float>((x - black) * factor);
      }
  p.values = p.converted;
  return p;
}

}  // namespace velum::session
