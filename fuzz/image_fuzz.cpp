#include "data/image.h"

#include <array>

#include "data/resize.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  fuzz::read_or_refuse([&] {
    const auto image = data::decode_image({data, size}, "file");
    fuzz::require(image.pixels.size() == image.channels * image.height * image.width,
                  "as many pixels as the size says");
    std::array<float, 3 * 5 * 7> out;
    data::resize_image(image, 3, 5, 7, data::Resize::stretch, out);
    for (const auto pixel : out) fuzz::require(pixel >= 0 && pixel <= 1, "pixels from 0 to 1");
  });
  return 0;
}
