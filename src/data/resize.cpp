#include "data/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/image.h"

namespace velum::data {

namespace {

// Target pixel t of an axis is the sum of weights[k] * source[first + k]; 0 where there are no weights.
struct Tap {
  std::size_t first = 0;
  std::vector<float> weights;
};

// Linear interpolation, widened by the ratio where the axis shrinks, so that every source pixel counts: a
// triangle around the target pixel's centre, of weights that sum to one.
Tap triangle(std::size_t source, std::size_t target, std::size_t t) {
  const double ratio = static_cast<double>(source) / static_cast<double>(target);
  const double radius = std::max(ratio, 1.0), centre = (static_cast<double>(t) + 0.5) * ratio;
  const auto first = static_cast<std::size_t>(std::max(0.0, std::floor(centre - radius + 0.5)));
  const auto last = std::min(source, static_cast<std::size_t>(std::floor(centre + radius + 0.5)));
  Tap tap{first, {}};
  std::vector<double> heights;
  double sum = 0;
  for (auto s = first; s < last; ++s) {
    heights.push_back(std::max(0.0, 1 - std::fabs(static_cast<double>(s) + 0.5 - centre) / radius));
    sum += heights.back();
  }
  for (const double h : heights) tap.weights.push_back(static_cast<float>(h / sum));
  return tap;
}

// An axis of `target` pixels showing an image of `size`, whose first pixel lies at `place` (negative: beyond
// the edge).
std::vector<Tap> axis_taps(std::size_t source, std::size_t target, std::size_t size, std::ptrdiff_t place) {
  std::vector<Tap> taps(target);
  for (std::size_t t = 0; t < target; ++t) {
    const auto at = static_cast<std::ptrdiff_t>(t) - place;
    if (at >= 0 && at < static_cast<std::ptrdiff_t>(size))
      taps[t] = triangle(source, size, static_cast<std::size_t>(at));
  }
  return taps;
}

// Halves go to the even neighbour, as in Python.
std::ptrdiff_t half_rounded(std::ptrdiff_t x) {
  return static_cast<std::ptrdiff_t>(std::nearbyint(static_cast<double>(x) / 2));
}

struct Placement {
  std::vector<Tap> rows, columns;
};

Placement place(const Image& image, std::size_t height, std::size_t width, Resize mode) {
  auto h = height, w = width;
  // Which side follows from the other one, at the image's own proportions.
  const bool taller = image.height * width > image.width * height;
  const auto scaled = [](std::size_t side, std::size_t of, std::size_t by) {
    return static_cast<double>(side) * static_cast<double>(of) / static_cast<double>(by);
  };
  const auto rounded = [](double x, std::size_t most) {
    return std::clamp<std::size_t>(static_cast<std::size_t>(std::nearbyint(x)), 1, most);
  };
  if (mode == Resize::crop && taller)
    h = std::max(height, static_cast<std::size_t>(scaled(width, image.height, image.width)));
  else if (mode == Resize::crop)
    w = std::max(width, static_cast<std::size_t>(scaled(height, image.width, image.height)));
  else if (mode == Resize::fit && taller)
    w = rounded(scaled(height, image.width, image.height), width);
  else if (mode == Resize::fit)
    h = rounded(scaled(width, image.height, image.width), height);
  // Cropping and padding alike leave the image in the centre.
  const auto offset = [](std::size_t target, std::size_t size) {
    return target >= size ? half_rounded(static_cast<std::ptrdiff_t>(target - size))
                          : -half_rounded(static_cast<std::ptrdiff_t>(size - target));
  };
  return {axis_taps(image.height, height, h, offset(height, h)),
          axis_taps(image.width, width, w, offset(width, w))};
}

template <typename Source>
float weighted(const Tap& tap, Source source) {
  float sum = 0;
  for (std::size_t k = 0; k < tap.weights.size(); ++k) sum += tap.weights[k] * source(tap.first + k);
  return sum;
}

}  // namespace

void resize_image(const Image& image, std::size_t channels, std::size_t height, std::size_t width,
                  Resize mode, std::span<float> out) {
  const auto [rows, columns] = place(image, height, width, mode);
  const float white = image.white;
  std::vector<float> line(image.width);             // one source row of one channel
  std::vector<float> narrow(image.height * width);  // all source rows, at the target's width
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t y = 0; y < image.height; ++y) {
      const auto* pixel = image.pixels.data() + y * image.width * image.channels;
      for (std::size_t x = 0; x < image.width; ++x, pixel += image.channels) {
        if (image.channels == channels)
          line[x] = pixel[c];
        else if (image.channels == 1)
          line[x] = pixel[0];
        else
          line[x] = 0.299f * static_cast<float>(pixel[0]) + 0.587f * static_cast<float>(pixel[1]) +
                    0.114f * static_cast<float>(pixel[2]);
      }
      for (std::size_t x = 0; x < width; ++x)
        narrow[y * width + x] = weighted(columns[x], [&](std::size_t s) { return line[s]; });
    }
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x)
        out[(c * height + y) * width + x] = std::clamp(
            weighted(rows[y], [&](std::size_t s) { return narrow[s * width + x]; }) / white, 0.0f, 1.0f);
  }
}

}  // namespace velum::data
