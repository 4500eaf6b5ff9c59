#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>

#include "base/error.h"
#include "data/image_formats.h"

namespace velum::data {

namespace {

// What the callbacks see: libpng may not return from an error, so it jumps to the caller of png_step.
struct PngSource {
  std::span<const std::uint8_t> left;
  jmp_buf jump;
  std::array<char, 128> message;
};

extern "C" {
void velum_png_error(png_structp png, png_const_charp message) {
  auto& source = *static_cast<PngSource*>(png_get_error_ptr(png));
  std::strncpy(source.message.data(), message, source.message.size() - 1);
  longjmp(source.jump, 1);
}

// What remains are remarks about blocks that are not read here.
void velum_png_warning(png_structp, png_const_charp) {}

void velum_png_read(png_structp png, png_bytep to, std::size_t size) {
  auto& source = *static_cast<PngSource*>(png_get_io_ptr(png));
  if (size > source.left.size()) png_error(png, "it breaks off");
  std::memcpy(to, source.left.data(), size);
  source.left = source.left.subspan(size);
}
}

struct Png {
  png_structp read = nullptr;
  png_infop info = nullptr;
  ~Png() { png_destroy_read_struct(&read, &info, nullptr); }
};

enum class PngStep { header, pixels };

// Everything between setjmp and a longjmp is plain data, so no destructor is jumped over; `rows` are the
// caller's.
bool png_step(Png& png, PngSource& source, PngStep step, png_bytepp rows) {
  if (setjmp(source.jump)) return false;
  if (step == PngStep::header) {
    // Blocks that say how colours should look are skipped: a network wants the numbers.
    static constexpr std::uint8_t kSkipped[] =
        "gAMA\0cHRM\0iCCP\0sRGB\0sBIT\0bKGD\0hIST\0sPLT\0pHYs\0oFFs\0pCAL\0sCAL\0tIME\0tEXt\0zTXt\0iTXt";
    png_set_keep_unknown_chunks(png.read, PNG_HANDLE_CHUNK_NEVER, kSkipped, sizeof kSkipped / 5);
    // A wrong checksum is damage, wherever it is.
    png_set_crc_action(png.read, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(png.read, 65535, 65535);
    png_read_info(png.read, png.info);
    return true;
  }
  png_read_image(png.read, rows);
  png_read_end(png.read, png.info);
  return true;
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> file, const std::string& what) {
  PngSource source{file, {}, {}};
  Png png;
  png.read = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, velum_png_error, velum_png_warning);
  if (png.read) png.info = png_create_info_struct(png.read);
  if (!png.info) fail("{}: out of memory for the PNG decoder", what);
  png_set_read_fn(png.read, &source, velum_png_read);
  const auto corrupt = [&] {
    fail_user("{}: corrupt PNG: {}; copy the file again", what, source.message.data());
  };
  if (!png_step(png, source, PngStep::header, nullptr)) corrupt();

  Image image;
  image.height = png_get_image_height(png.read, png.info);
  image.width = png_get_image_width(png.read, png.info);
  check_image_size(image.height, image.width, file.size(), what);
  const auto colours = png_get_color_type(png.read, png.info);
  const auto depth = png_get_bit_depth(png.read, png.info);
  image.channels = colours & PNG_COLOR_MASK_COLOR ? 3 : 1;
  image.white = depth == 16 ? 65535 : 255;
  image.transparent =
      (colours & PNG_COLOR_MASK_ALPHA) || png_get_valid(png.read, png.info, PNG_INFO_tRNS) != 0;
  if (colours == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png.read);
  if (colours == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png.read);
  png_set_strip_alpha(png.read);
  png_set_interlace_handling(png.read);
  png_read_update_info(png.read, png.info);

  const auto row_bytes = image.width * image.channels * (depth == 16 ? 2 : 1);
  if (png_get_rowbytes(png.read, png.info) != row_bytes) fail_user("{}: a PNG of an unknown form", what);
  std::vector<png_byte> bytes(row_bytes * image.height);
  std::vector<png_bytep> rows(image.height);
  for (std::size_t y = 0; y < image.height; ++y) rows[y] = bytes.data() + y * row_bytes;
  if (!png_step(png, source, PngStep::pixels, rows.data())) corrupt();

  image.pixels.resize(image.height * image.width * image.channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] =
        depth == 16 ? static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]) : bytes[i];
  png_uint_32 exif_bytes = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(png.read, png.info, &exif_bytes, &exif))
    image.orientation = exif_orientation({exif, exif_bytes});
  return image;
}

}  // namespace velum::data
