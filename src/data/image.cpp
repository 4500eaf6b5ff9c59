#include "data/image.h"

// jpeglib.h needs FILE and size_t first.
#include <cstddef>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstring>

#include "base/error.h"

namespace velum::data {

namespace {

// The most that a format can shrink: an image that claims more pixels for its bytes lies, found before
// allocation.
constexpr std::size_t kMaxPixelsPerByte = 1040;

void check_size(std::uint64_t height, std::uint64_t width, std::size_t file_bytes, const std::string& what) {
  if (height == 0 || width == 0 || height > 65535 || width > 65535 || height * width > kMaxImagePixels)
    fail_user("{}: an image of {}x{} pixels, at most {} million are read", what, width, height,
              kMaxImagePixels / 1000000);
  if (height * width / kMaxPixelsPerByte / 8 > file_bytes)
    fail_user("{}: damaged: {}x{} pixels announced, its {} bytes cannot hold them", what, width, height,
              file_bytes);
}

Image decode_png(std::span<const std::uint8_t> file, const std::string& what) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  struct Release {
    png_image& png;
    ~Release() { png_image_free(&png); }
  } release{png};
  if (!png_image_begin_read_from_memory(&png, file.data(), file.size()))
    fail_user("{}: corrupt PNG: {}", what, png.message);
  check_size(png.height, png.width, file.size(), what);
  const bool colour = png.format & PNG_FORMAT_FLAG_COLOR;
  png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Image image{colour ? std::size_t{3} : 1, png.height, png.width, {}};
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  const png_color black{0, 0, 0};
  // Warnings are about damage too (a wrong checksum, missing data), so they refuse the image as errors do.
  if (!png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr) || PNG_IMAGE_FAILED(png))
    fail_user("{}: corrupt PNG: {}", what, png.message);
  return image;
}

// libjpeg reports through callbacks that may not return: they jump to the caller of decode_jpeg_into.
struct JpegErrors {
  jpeg_error_mgr manager;
  jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

extern "C" {
void velum_jpeg_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  info->err->format_message(info, errors->message);
  longjmp(errors->jump, 1);
}

// Warnings (level -1) mean damaged data that libjpeg would paper over; only stray bytes between segments are
// harmless.
void velum_jpeg_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code != JWRN_EXTRANEOUS_DATA) velum_jpeg_error(info);
}

// A small file can make a decoder walk a large image once a scan; real files have a dozen scans.
void velum_jpeg_progress(j_common_ptr info) {
  constexpr int kMaxScans = 100;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans)
    ERREXIT(info, JERR_BAD_PROGRESSION);
}
}

enum class JpegStep { header, pixels };

// Everything between setjmp and a longjmp is plain data, so no destructor is jumped over; `image` is the
// caller's.
bool jpeg_step(jpeg_decompress_struct& info, JpegErrors& errors, JpegStep step, Image& image) {
  if (setjmp(errors.jump)) return false;
  if (step == JpegStep::header) {
    jpeg_read_header(&info, TRUE);
    return true;
  }
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = image.pixels.data() + std::size_t{info.output_scanline} * image.width * image.channels;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

Image decode_jpeg(std::span<const std::uint8_t> file, const std::string& what) {
  jpeg_decompress_struct info{};
  JpegErrors errors{};
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = velum_jpeg_error;
  errors.manager.emit_message = velum_jpeg_message;
  jpeg_create_decompress(&info);
  struct Release {
    jpeg_decompress_struct& info;
    ~Release() { jpeg_destroy_decompress(&info); }
  } release{info};
  jpeg_progress_mgr progress{};
  progress.progress_monitor = velum_jpeg_progress;
  info.progress = &progress;
  jpeg_mem_src(&info, file.data(), file.size());
  Image image;
  if (!jpeg_step(info, errors, JpegStep::header, image))
    fail_user("{}: corrupt JPEG: {}", what, errors.message);
  check_size(info.image_height, info.image_width, file.size(), what);
  const bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
  if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK)
    fail_user("{}: a JPEG in print colours (CMYK); convert it to RGB", what);
  info.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  image = {grey ? std::size_t{1} : 3, info.image_height, info.image_width, {}};
  image.pixels.resize(image.channels * image.height * image.width);
  if (!jpeg_step(info, errors, JpegStep::pixels, image))
    fail_user("{}: corrupt JPEG: {}", what, errors.message);
  return image;
}

// Target pixel t of an axis is the sum of weights[k] * source[first + k].
struct Tap {
  std::size_t first = 0;
  std::vector<float> weights;
};

std::vector<Tap> axis_taps(std::size_t source, std::size_t target) {
  std::vector<Tap> taps(target);
  const double ratio = static_cast<double>(source) / static_cast<double>(target);
  for (std::size_t t = 0; t < target; ++t) {
    auto& tap = taps[t];
    if (target < source) {  // the mean over [t, t + 1) * ratio
      const double begin = static_cast<double>(t) * ratio, end = begin + ratio;
      tap.first = static_cast<std::size_t>(begin);
      const auto last = std::min(source, static_cast<std::size_t>(std::ceil(end)));
      for (auto s = tap.first; s < last; ++s) {
        const double covered =
            std::min(end, static_cast<double>(s + 1)) - std::max(begin, static_cast<double>(s));
        tap.weights.push_back(static_cast<float>(std::max(0.0, covered) / ratio));
      }
    } else {  // between the two nearest centres
      const double centre =
          std::clamp((static_cast<double>(t) + 0.5) * ratio - 0.5, 0.0, static_cast<double>(source - 1));
      tap.first = static_cast<std::size_t>(centre);
      const auto part = static_cast<float>(centre - static_cast<double>(tap.first));
      tap.weights = {1 - part};
      if (part > 0) tap.weights.push_back(part);
    }
  }
  return taps;
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> file, const std::string& what) {
  constexpr std::array<std::uint8_t, 8> kPng = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (file.size() >= kPng.size() && std::memcmp(file.data(), kPng.data(), kPng.size()) == 0)
    return decode_png(file, what);
  if (file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff)
    return decode_jpeg(file, what);
  fail_user("{}: neither PNG nor JPEG by its first bytes ({} bytes in all)", what, file.size());
}

void resize_image(const Image& image, std::size_t channels, std::size_t height, std::size_t width,
                  std::span<float> out) {
  const auto columns = axis_taps(image.width, width), rows = axis_taps(image.height, height);
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
      for (std::size_t x = 0; x < width; ++x) {
        float sum = 0;
        for (std::size_t k = 0; k < columns[x].weights.size(); ++k)
          sum += columns[x].weights[k] * line[columns[x].first + k];
        narrow[y * width + x] = sum;
      }
    }
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) {
        float sum = 0;
        for (std::size_t k = 0; k < rows[y].weights.size(); ++k)
          sum += rows[y].weights[k] * narrow[(rows[y].first + k) * width + x];
        out[(c * height + y) * width + x] = std::clamp(sum / 255.0f, 0.0f, 1.0f);
      }
  }
}

}  // namespace velum::data
