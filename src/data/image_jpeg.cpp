// jpeglib.h needs FILE and size_t first.
#include <cstddef>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>

#include "base/error.h"
#include "data/image_formats.h"

namespace velum::data {

namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;

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

// Everything between setjmp and a longjmp is plain data, so no destructor is jumped over; `pixels` are the
// caller's.
bool jpeg_step(jpeg_decompress_struct& info, JpegErrors& errors, JpegStep step, std::uint8_t* pixels) {
  if (setjmp(errors.jump)) return false;
  if (step == JpegStep::header) {
    jpeg_save_markers(&info, kExifMarker, 0xffff);
    jpeg_read_header(&info, TRUE);
    return true;
  }
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels + std::size_t{info.output_scanline} * info.output_width *
                                static_cast<std::size_t>(info.output_components);
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

int orientation_of(const jpeg_decompress_struct& info) {
  constexpr std::array<std::uint8_t, 6> kExif = {'E', 'x', 'i', 'f', 0, 0};
  for (auto marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::uint8_t> block(marker->data, marker->data_length);
    if (marker->marker == kExifMarker && block.size() > kExif.size() &&
        std::equal(kExif.begin(), kExif.end(), block.begin()))
      return exif_orientation(block.subspan(kExif.size()));
  }
  return 1;
}

}  // namespace

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
  if (!jpeg_step(info, errors, JpegStep::header, nullptr))
    fail_user("{}: corrupt JPEG: {}", what, errors.message);
  check_image_size(info.image_height, info.image_width, file.size(), what);
  const bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
  if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK)
    fail_user("{}: a JPEG in print colours (CMYK); convert it to RGB", what);
  info.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  Image image{grey ? std::size_t{1} : 3, info.image_height, info.image_width, {}};
  image.orientation = orientation_of(info);
  std::vector<std::uint8_t> bytes(image.channels * image.height * image.width);
  if (!jpeg_step(info, errors, JpegStep::pixels, bytes.data()))
    fail_user("{}: corrupt JPEG: {}", what, errors.message);
  image.pixels.assign(bytes.begin(), bytes.end());
  return image;
}

}  // namespace velum::data
