#include <array>

#include "base/error.h"
#include "data/image_formats.h"

namespace velum::data {

namespace {

constexpr std::size_t kFileHeader = 14, kInfoHeader = 40;
constexpr std::uint32_t kPlain = 0, kBitFields = 3;

std::uint32_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

struct Header {
  std::size_t pixels = 0, palette = 0, colours = 0;  // where the pixels and the palette begin
  std::size_t height = 0, width = 0, bits = 0;
  bool from_top = false;
};

Header read_header(std::span<const std::uint8_t> file, const std::string& what) {
  if (file.size() < kFileHeader + kInfoHeader)
    fail_user("{}: truncated: {} bytes, a BMP has a header of {}", what, file.size(),
              kFileHeader + kInfoHeader);
  Header h;
  h.pixels = little(file, 10, 4);
  const std::size_t info = little(file, 14, 4);
  if (info < kInfoHeader || info > 256 || kFileHeader + info > file.size())
    fail_user("{}: a BMP with a header of {} bytes; at least {} are expected", what, info, kInfoHeader);
  const auto height = static_cast<std::int32_t>(little(file, 22, 4));
  const auto width = static_cast<std::int32_t>(little(file, 18, 4));
  h.from_top = height < 0;
  h.height = static_cast<std::size_t>(std::abs(std::int64_t{height}));
  h.width = width < 0 ? 0 : static_cast<std::size_t>(width);
  h.bits = little(file, 28, 2);
  const auto packing = little(file, 30, 4);
  const bool usual_masks = packing == kBitFields && h.bits == 32 && file.size() >= 66 &&
                           little(file, 54, 4) == 0xff0000 && little(file, 58, 4) == 0xff00 &&
                           little(file, 62, 4) == 0xff;
  if (packing != kPlain && !usual_masks)
    fail_user("{}: a BMP that is compressed or has colour masks of its own; save it without, or as PNG",
              what);
  if (h.bits != 1 && h.bits != 4 && h.bits != 8 && h.bits != 24 && h.bits != 32)
    fail_user("{}: a BMP of {} bits a pixel; 1, 4, 8, 24 and 32 are read", what, h.bits);
  check_image_size(h.height, h.width, file.size(), what);
  h.palette = kFileHeader + info;
  const std::size_t used = little(file, 46, 4);
  h.colours = h.bits > 8 ? 0 : used == 0 ? std::size_t{1} << h.bits : used;
  if (h.colours > 256 || h.palette + 4 * h.colours > file.size())
    fail_user("{}: damaged: a palette of {} colours does not fit the file", what, h.colours);
  return h;
}

}  // namespace

Image decode_bmp(std::span<const std::uint8_t> file, const std::string& what) {
  const auto h = read_header(file, what);
  const auto row = (h.width * h.bits + 31) / 32 * 4;
  if (h.pixels > file.size() || row * h.height > file.size() - h.pixels)
    fail_user("{}: truncated: {} bytes, {} expected; copy the file again", what, file.size(),
              h.pixels + row * h.height);
  // A palette of greys makes a grey image.
  bool grey = h.bits <= 8;
  for (std::size_t c = 0; c < h.colours && grey; ++c) {
    const auto* entry = file.data() + h.palette + 4 * c;
    grey = entry[0] == entry[1] && entry[1] == entry[2];
  }
  Image image{grey ? std::size_t{1} : 3, h.height, h.width, {}};
  image.pixels.reserve(image.channels * h.height * h.width);
  for (std::size_t y = 0; y < h.height; ++y) {
    const auto* line = file.data() + h.pixels + (h.from_top ? y : h.height - 1 - y) * row;
    for (std::size_t x = 0; x < h.width; ++x) {
      const std::uint8_t* bgr = nullptr;
      if (h.bits > 8) {
        bgr = line + x * h.bits / 8;
        image.transparent |= h.bits == 32 && bgr[3] != 0 && bgr[3] != 255;
      } else {
        const auto bit = x * h.bits;
        const std::size_t colour = line[bit / 8] >> (8 - h.bits - bit % 8) & ((std::size_t{1} << h.bits) - 1);
        if (colour >= h.colours)
          fail_user("{}: damaged: a pixel has colour {} of {}", what, colour, h.colours);
        bgr = file.data() + h.palette + 4 * colour;
      }
      for (std::size_t c = 0; c < image.channels; ++c) image.pixels.push_back(bgr[2 - c]);
    }
  }
  return image;
}

}  // namespace velum::data
