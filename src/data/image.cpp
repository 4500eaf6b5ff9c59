#include "data/image.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "data/image_formats.h"

namespace velum::data {

namespace {

// The most that a format can shrink: an image that claims more pixels for its bytes lies, found before
// allocation.
constexpr std::size_t kMaxPixelsPerByte = 1040;

struct Format {
  const char* name;
  std::size_t offset;  // of its mark in the file
  std::string_view mark;
  Image (*decode)(std::span<const std::uint8_t> file, const std::string& what);
};

using namespace std::string_view_literals;
constexpr std::array kExtensions = {".png"sv,  ".jpg"sv, ".jpeg"sv, ".jpe"sv, ".tif"sv,
                                    ".tiff"sv, ".bmp"sv, ".webp"sv, ".dcm"sv, ".dicom"sv};
constexpr std::array kFormats = {
    Format{"PNG", 0, "\x89PNG\r\n\x1a\n"sv, decode_png},
    Format{"JPEG", 0, "\xff\xd8\xff"sv, decode_jpeg},
    Format{"TIFF", 0, "II*\0"sv, decode_tiff},
    Format{"TIFF", 0, "MM\0*"sv, decode_tiff},
    Format{"BMP", 0, "BM"sv, decode_bmp},
    Format{"WebP", 8, "WEBPVP8"sv, decode_webp},
    Format{"DICOM", 128, "DICM"sv, decode_dicom},
};

bool has_mark(const Format& f, std::span<const std::uint8_t> file) {
  return file.size() >= f.offset + f.mark.size() &&
         std::memcmp(file.data() + f.offset, f.mark.data(), f.mark.size()) == 0;
}

}  // namespace

void check_image_size(std::uint64_t height, std::uint64_t width, std::size_t file_bytes,
                      const std::string& what) {
  if (height == 0 || width == 0 || height > 65535 || width > 65535 || height * width > kMaxImagePixels)
    fail_user("{}: an image of {}x{} pixels, at most {} million are read", what, width, height,
              kMaxImagePixels / 1000000);
  if (height * width / kMaxPixelsPerByte / 8 > file_bytes)
    fail_user("{}: damaged: {}x{} pixels announced, its {} bytes cannot hold them", what, width, height,
              file_bytes);
}

std::span<const std::string_view> image_extensions() {
  return kExtensions;
}

std::string image_formats() {
  std::string names;
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    const auto& f = kFormats[i];
    if (i > 0 && f.name == std::string_view(kFormats[i - 1].name)) continue;  // another mark of it
    names += names.empty() ? f.name : std::string(&f == &kFormats.back() ? " and " : ", ") + f.name;
  }
  return names;
}

bool is_image(std::span<const std::uint8_t> first_bytes) {
  return std::ranges::any_of(kFormats, [&](const auto& f) { return has_mark(f, first_bytes); });
}

Image decode_image(std::span<const std::uint8_t> file, const std::string& what) {
  for (const auto& f : kFormats)
    if (has_mark(f, file)) return f.decode(file, what);
  fail_user("{}: not an image by its first bytes ({} bytes in all); {} are read", what, file.size(),
            image_formats());
}

// Orientation o says where the file's first row and column lie: 1 top left, 2 top right, 3 bottom right,
// 4 bottom left; 5 to 8 the same with rows and columns exchanged (left top, right top, right bottom, left
// bottom).
Image upright(Image image) {
  if (image.orientation == 1) return image;
  const int o = image.orientation;
  const bool exchanged = o >= 5;
  const bool from_right = o == 2 || o == 3 || o == 6 || o == 7;
  const bool from_bottom = o == 3 || o == 4 || o == 7 || o == 8;
  Image out = image;
  out.orientation = 1;
  if (exchanged) std::swap(out.height, out.width);
  for (std::size_t y = 0; y < out.height; ++y)
    for (std::size_t x = 0; x < out.width; ++x) {
      // Where this pixel lies along the file's columns and rows.
      const auto across = from_right ? out.width - 1 - x : x, down = from_bottom ? out.height - 1 - y : y;
      const auto row = exchanged ? across : down, column = exchanged ? down : across;
      for (std::size_t c = 0; c < image.channels; ++c)
        out.pixels[(y * out.width + x) * image.channels + c] =
            image.pixels[(row * image.width + column) * image.channels + c];
    }
  return out;
}

}  // namespace velum::data
