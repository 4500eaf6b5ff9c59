// Single images: PNG and JPEG decoded to grey or RGB bytes, and brought to the shape a model wants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace velum::data {

struct Image {
  std::size_t channels = 0, height = 0, width = 0;  // 1 (grey) or 3 (RGB) channels
  std::vector<std::uint8_t> pixels;                 // interleaved, row by row
};

inline constexpr std::size_t kMaxImagePixels = std::size_t{1} << 26;

// By its first bytes. Any defect that the decoders notice refuses the image. Transparent parts become black.
Image decode_image(std::span<const std::uint8_t> file, const std::string& what);

// To planes [channel][row][column] in [0, 1]. Grey from RGB by the usual luma weights; each axis is averaged
// over the area of a target pixel where it shrinks, and interpolated linearly where it grows.
void resize_image(const Image& image, std::size_t channels, std::size_t height, std::size_t width,
                  std::span<float> out);

}  // namespace velum::data
