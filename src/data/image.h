// Single images, decoded to grey or RGB values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace velum::data {

// The values that a file holds, linear from 0 (black) to `white`: neither gamma nor colour profile is
// applied, and no depth is lost.
struct Image {
  std::size_t channels = 0, height = 0, width = 0;  // 1 (grey) or 3 (RGB) channels
  std::vector<std::uint16_t> pixels;                // interleaved, row by row
  std::uint16_t white = 255;
  int orientation = 1;       // as Exif counts it, 1 (upright) to 8; the pixels are as the file has them
  bool transparent = false;  // transparency was dropped: colours are as the file has them beneath it
};

inline constexpr std::size_t kMaxImagePixels = std::size_t{1} << 26;

// Endings of the names of files that are read, in small letters with their dot; and the formats, for people.
std::span<const std::string_view> image_extensions();
std::string image_formats();

// Whether the first bytes of a file are those of a format that is read.
inline constexpr std::size_t kImageMarkBytes = 132;
bool is_image(std::span<const std::uint8_t> first_bytes);
// By its first bytes. Any defect that the decoders notice refuses the image.
Image decode_image(std::span<const std::uint8_t> file, const std::string& what);

// Turned and mirrored as its orientation says.
Image upright(Image image);

}  // namespace velum::data
