#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "data/image_formats.h"

namespace velum::data {

namespace {

// The file in memory, and what libtiff said of it.
struct TiffSource {
  std::span<const std::uint8_t> file;
  std::size_t at = 0;
  std::array<char, 128> message{};
};

TiffSource& source_of(thandle_t handle) {
  return *static_cast<TiffSource*>(handle);
}

tmsize_t tiff_read(thandle_t handle, void* to, tmsize_t size) {
  auto& s = source_of(handle);
  const auto some = std::min<std::size_t>(static_cast<std::size_t>(size), s.file.size() - s.at);
  std::memcpy(to, s.file.data() + s.at, some);
  s.at += some;
  return static_cast<tmsize_t>(some);
}

tmsize_t tiff_write(thandle_t, void*, tmsize_t) {
  return 0;
}

toff_t tiff_seek(thandle_t handle, toff_t offset, int whence) {
  auto& s = source_of(handle);
  const toff_t base = whence == SEEK_CUR ? s.at : whence == SEEK_END ? s.file.size() : 0;
  s.at = static_cast<std::size_t>(std::min<toff_t>(base + offset, s.file.size()));
  return s.at;
}

int tiff_close(thandle_t) {
  return 0;
}

toff_t tiff_size(thandle_t handle) {
  return source_of(handle).file.size();
}

int tiff_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& message = static_cast<TiffSource*>(user)->message;
  if (message[0] == 0) std::vsnprintf(message.data(), message.size(), format, arguments);
  return 1;  // said: nothing goes to stderr
}

int tiff_warning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Tiff open_tiff(TiffSource& source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 &TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), tiff_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), tiff_warning, nullptr);
  return {TIFFClientOpenExt("image", "rm", &source, tiff_read, tiff_write, tiff_seek, tiff_close, tiff_size,
                            nullptr, nullptr, options.get()),
          &TIFFClose};
}

struct TiffForm {
  std::uint32_t height = 0, width = 0;
  std::uint16_t bits = 1, samples = 1, photometric = 0, planar = PLANARCONFIG_CONTIG, format = 1;
  std::uint16_t compression = 1, orientation = 1, extra = 0;
};

TiffForm form_of(TIFF* tiff, std::size_t file_bytes, const std::string& what) {
  TiffForm f;
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &f.height);
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &f.width);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &f.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &f.samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &f.planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &f.format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &f.compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &f.orientation);
  std::uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &f.extra, &kinds);
  if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &f.photometric))
    fail_user("{}: corrupt TIFF: it does not say what its numbers mean", what);
  check_image_size(f.height, f.width, file_bytes, what);
  // JPEG within TIFF comes in its own colours, which libtiff turns into RGB.
  if (f.compression == COMPRESSION_JPEG && f.photometric == PHOTOMETRIC_YCBCR) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    f.photometric = PHOTOMETRIC_RGB;
  }
  const bool grey = f.photometric == PHOTOMETRIC_MINISBLACK || f.photometric == PHOTOMETRIC_MINISWHITE;
  const bool colour = f.photometric == PHOTOMETRIC_RGB || f.photometric == PHOTOMETRIC_PALETTE;
  if (!grey && !colour)
    fail_user("{}: a TIFF in other colours than grey, RGB or a palette; convert it to RGB", what);
  if (f.format != SAMPLEFORMAT_UINT ||
      (f.bits != 1 && f.bits != 2 && f.bits != 4 && f.bits != 8 && f.bits != 16))
    fail_user("{}: a TIFF of {} bits a value{}; unsigned integers of 1, 2, 4, 8 and 16 bits are read", what,
              f.bits, f.format == SAMPLEFORMAT_UINT ? "" : ", signed or floating-point");
  const std::uint16_t needed = f.photometric == PHOTOMETRIC_RGB ? 3 : 1;
  if (f.samples < needed || f.samples > needed + 1 || (f.samples > needed && f.bits < 8))
    fail_user("{}: a TIFF of {} values a pixel, {} expected", what, f.samples, needed);
  return f;
}

std::uint16_t value_at(const std::uint8_t* row, std::size_t i, std::uint16_t bits) {
  if (bits == 16) {
    std::uint16_t value;
    std::memcpy(&value, row + 2 * i, sizeof value);
    return value;
  }
  if (bits == 8) return row[i];
  const auto bit = i * bits;
  return static_cast<std::uint16_t>(row[bit / 8] >> (8 - bits - bit % 8) & ((1 << bits) - 1));
}

// All values, [row][column][sample], each image a plane after the other where they are kept apart.
class TiffReader {
 public:
  TiffReader(TIFF* tiff, const TiffForm& form, const TiffSource& source, const std::string& what)
      : tiff_(tiff),
        f_(form),
        source_(source),
        what_(what),
        values_(std::size_t{form.height} * form.width * form.samples) {}

  std::vector<std::uint16_t> read() {
    const std::uint16_t planes = f_.planar == PLANARCONFIG_SEPARATE ? f_.samples : 1;
    for (std::uint16_t plane = 0; plane < planes; ++plane)
      TIFFIsTiled(tiff_) ? read_tiles(plane) : read_lines(plane);
    return std::move(values_);
  }

 private:
  // `row` holds `count` pixels of a plane that begin at (x, y).
  void take(const std::uint8_t* row, std::uint16_t plane, std::size_t y, std::size_t x, std::size_t count) {
    const bool apart = f_.planar == PLANARCONFIG_SEPARATE;
    const std::size_t each = apart ? 1 : f_.samples;
    for (std::size_t i = 0; i < count * each; ++i)
      values_[(y * f_.width + x + i / each) * f_.samples + (apart ? plane : i % each)] =
          value_at(row, i, f_.bits);
  }
  void require_bytes(tmsize_t have, std::size_t pixels) const {
    const std::size_t each = f_.planar == PLANARCONFIG_SEPARATE ? 1 : f_.samples;
    if (have < 0 || static_cast<std::size_t>(have) < (pixels * each * f_.bits + 7) / 8)
      fail_user("{}: corrupt TIFF: its rows are too short", what_);
  }
  [[noreturn]] void corrupt() const {
    fail_user("{}: corrupt TIFF: {}; copy the file again", what_, source_.message.data());
  }
  void read_lines(std::uint16_t plane) {
    const auto bytes = TIFFScanlineSize(tiff_);
    require_bytes(bytes, f_.width);
    std::vector<std::uint8_t> row(static_cast<std::size_t>(bytes));
    for (std::uint32_t y = 0; y < f_.height; ++y) {
      if (TIFFReadScanline(tiff_, row.data(), y, plane) != 1) corrupt();
      take(row.data(), plane, y, 0, f_.width);
    }
  }
  void read_tiles(std::uint16_t plane) {
    std::uint32_t height = 0, width = 0;
    TIFFGetField(tiff_, TIFFTAG_TILELENGTH, &height);
    TIFFGetField(tiff_, TIFFTAG_TILEWIDTH, &width);
    const auto row_bytes = TIFFTileRowSize(tiff_), bytes = TIFFTileSize(tiff_);
    require_bytes(row_bytes, width);
    // A tile may be larger than the image, within reason.
    if (height == 0 || width == 0 || bytes <= 0 || bytes / row_bytes < static_cast<tmsize_t>(height) ||
        static_cast<std::uint64_t>(bytes) > 8 * kMaxImagePixels)
      corrupt();
    std::vector<std::uint8_t> tile(static_cast<std::size_t>(bytes));
    for (std::uint32_t top = 0; top < f_.height; top += height)
      for (std::uint32_t left = 0; left < f_.width; left += width) {
        if (TIFFReadTile(tiff_, tile.data(), left, top, 0, plane) < 0) corrupt();
        for (std::uint32_t y = 0; y < height && top + y < f_.height; ++y)
          take(tile.data() + y * static_cast<std::size_t>(row_bytes), plane, top + y, left,
               std::min(width, f_.width - left));
      }
  }

  TIFF* tiff_;
  const TiffForm& f_;
  const TiffSource& source_;
  const std::string& what_;
  std::vector<std::uint16_t> values_;
};

// Black is 0 and white the largest value. Colours of a palette have 16 bits, of which writers fill the upper
// 8 alone.
Image to_image(TIFF* tiff, const TiffForm& f, const std::vector<std::uint16_t>& values,
               const std::string& what) {
  Image image;
  image.height = f.height;
  image.width = f.width;
  image.channels = f.photometric == PHOTOMETRIC_RGB || f.photometric == PHOTOMETRIC_PALETTE ? 3 : 1;
  image.orientation = f.orientation >= 1 && f.orientation <= 8 ? f.orientation : 1;
  image.white = static_cast<std::uint16_t>((1U << f.bits) - 1);
  const auto pixels = image.height * image.width;
  image.pixels.resize(pixels * image.channels);
  if (f.photometric == PHOTOMETRIC_PALETTE) {
    std::array<std::uint16_t*, 3> colours{};
    if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2]))
      fail_user("{}: corrupt TIFF: it has no palette", what);
    image.white = 255;
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        image.pixels[3 * i + c] = static_cast<std::uint16_t>(colours[c][values[i * f.samples]] >> 8);
    return image;
  }
  image.transparent = f.samples > image.channels;
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < image.channels; ++c) {
      const auto value = values[i * f.samples + c];
      image.pixels[i * image.channels + c] =
          f.photometric == PHOTOMETRIC_MINISWHITE ? static_cast<std::uint16_t>(image.white - value) : value;
    }
  return image;
}

}  // namespace

Image decode_tiff(std::span<const std::uint8_t> file, const std::string& what) {
  TiffSource source{file};
  const auto tiff = open_tiff(source);
  if (!tiff) fail_user("{}: corrupt TIFF: {}; copy the file again", what, source.message.data());
  const auto form = form_of(tiff.get(), file.size(), what);
  const auto values = TiffReader(tiff.get(), form, source, what).read();
  auto image = to_image(tiff.get(), form, values, what);
  // Smaller copies of the same image are no further images.
  while (TIFFReadDirectory(tiff.get())) {
    std::uint32_t kind = 0;
    TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_SUBFILETYPE, &kind);
    if (!(kind & FILETYPE_REDUCEDIMAGE))
      fail_user("{}: a TIFF of several images (pages); save each as a file of its own", what);
  }
  return image;
}

}  // namespace velum::data
