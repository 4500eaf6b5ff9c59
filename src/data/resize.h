// Images brought to the shape a model wants.
#pragma once

#include <cstddef>
#include <span>

namespace velum::data {

struct Image;

// How an image comes to another height and width. Its proportions are kept but by `stretch`.
enum class Resize {
  stretch,  // each side by itself
  fit,      // the whole image, with black beside it
  crop,     // the middle of the image, whose shorter side fits
};

// To planes [channel][row][column] in [0, 1]. Grey from RGB by the usual luma weights; linear interpolation,
// over the area of a target pixel where an axis shrinks (antialiased).
void resize_image(const Image& image, std::size_t channels, std::size_t height, std::size_t width,
                  Resize mode, std::span<float> out);

}  // namespace velum::data
