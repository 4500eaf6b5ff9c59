#include "data/make_files.h"

// jpeglib.h needs FILE and size_t first.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include <cstdlib>

namespace velum::testing {

void append(Bytes& to, std::span<const std::uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
void append_text(Bytes& to, const std::string& text) {
  to.insert(to.end(), text.begin(), text.end());
}
void append_little(Bytes& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void append_big(Bytes& to, std::uint64_t value, int bytes) {
  for (int i = bytes; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

namespace {

Bytes deflate_with(std::span<const std::uint8_t> bytes, int window_bits) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&z, bytes.size()) + 64);
  z.next_in = const_cast<Bytef*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace

Bytes gzip(std::span<const std::uint8_t> bytes) {
  return deflate_with(bytes, 16 + MAX_WBITS);
}

Bytes idx(const std::vector<std::uint32_t>& shape, std::span<const std::uint8_t> values) {
  Bytes out = {0, 0, 8, static_cast<std::uint8_t>(shape.size())};
  for (const auto extent : shape) append_big(out, extent, 4);
  append(out, values);
  return out;
}

Bytes ramp(std::size_t n, unsigned step, unsigned start, unsigned below) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>((i * step + start) % below);
  return out;
}

Bytes npy(const std::string& type, const std::string& shape, std::span<const std::uint8_t> values,
          int version) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  const std::size_t prefix = version == 1 ? 10 : 12;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  Bytes out;
  append_text(out, "\x93NUMPY");
  out.push_back(static_cast<std::uint8_t>(version));
  out.push_back(0);
  append_little(out, header.size(), version == 1 ? 2 : 4);
  append_text(out, header);
  append(out, values);
  return out;
}

Bytes zip(const Members& members, bool deflated, bool zip64) {
  constexpr std::uint64_t kElsewhere = 0xffffffff;
  Bytes out, directory;
  for (const auto& [name, contents] : members) {
    const auto packed = deflated ? deflate_with(contents, -MAX_WBITS) : contents;
    const auto offset = out.size();
    Bytes common;  // the fields that the local header and the directory share
    append_little(common, 20, 2);
    append_little(common, 0, 2);
    append_little(common, deflated ? 8 : 0, 2);
    append_little(common, 0, 4);
    append_little(common, crc32(0, contents.data(), static_cast<uInt>(contents.size())), 4);
    append_little(common, zip64 ? kElsewhere : packed.size(), 4);
    append_little(common, zip64 ? kElsewhere : contents.size(), 4);
    append_little(common, name.size(), 2);
    Bytes sizes;  // the zip64 block
    if (zip64) {
      append_little(sizes, 1, 2);
      append_little(sizes, 24, 2);
      append_little(sizes, contents.size(), 8);
      append_little(sizes, packed.size(), 8);
      append_little(sizes, offset, 8);
    }
    append_text(out, "PK\3\4");
    append(out, common);
    append_little(out, sizes.size(), 2);
    append_text(out, name);
    append(out, sizes);
    append(out, packed);
    append_text(directory, "PK\1\2");
    append_little(directory, 20, 2);
    append(directory, common);
    append_little(directory, sizes.size(), 2);
    append(directory, Bytes(10));  // comment, disk, attributes
    append_little(directory, zip64 ? kElsewhere : offset, 4);
    append_text(directory, name);
    append(directory, sizes);
  }
  const auto begin = out.size();
  append(out, directory);
  if (zip64) {
    const auto end = out.size();
    append_text(out, "PK\6\6");
    append_little(out, 44, 8);
    append_little(out, 45, 2);
    append_little(out, 45, 2);
    append_little(out, 0, 8);  // disks
    append_little(out, members.size(), 8);
    append_little(out, members.size(), 8);
    append_little(out, directory.size(), 8);
    append_little(out, begin, 8);
    append_text(out, "PK\6\7");
    append_little(out, 0, 4);
    append_little(out, end, 8);
    append_little(out, 1, 4);
  }
  append_text(out, "PK\5\6");
  append_little(out, 0, 4);
  append_little(out, zip64 ? 0xffff : members.size(), 2);
  append_little(out, zip64 ? 0xffff : members.size(), 2);
  append_little(out, zip64 ? kElsewhere : directory.size(), 4);
  append_little(out, zip64 ? kElsewhere : begin, 4);
  append_little(out, 0, 2);
  return out;
}

namespace {

void append_chunk(Bytes& to, const std::string& type, std::span<const std::uint8_t> contents) {
  Bytes summed;
  append_text(summed, type);
  append(summed, contents);
  append_big(to, contents.size(), 4);
  append(to, summed);
  append_big(to, crc32(0, summed.data(), static_cast<uInt>(summed.size())), 4);
}

}  // namespace

Bytes raw_png(int colours, int depth, std::size_t height, std::size_t width,
              std::span<const std::uint8_t> rows, const std::vector<std::pair<std::string, Bytes>>& chunks) {
  Bytes out, header, filtered;
  append_text(out, "\x89PNG\r\n\x1a\n");
  append_big(header, width, 4);
  append_big(header, height, 4);
  append(header, Bytes{static_cast<std::uint8_t>(depth), static_cast<std::uint8_t>(colours), 0, 0, 0});
  append_chunk(out, "IHDR", header);
  for (const auto& [type, contents] : chunks) append_chunk(out, type, contents);
  const auto row = rows.size() / height;
  for (std::size_t y = 0; y < height; ++y) {
    filtered.push_back(0);
    append(filtered, rows.subspan(y * row, row));
  }
  Bytes packed(compressBound(filtered.size()));
  uLongf size = packed.size();
  compress(packed.data(), &size, filtered.data(), filtered.size());
  append_chunk(out, "IDAT", std::span(packed).first(size));
  append_chunk(out, "IEND", {});
  return out;
}

Bytes exif_orientation(int orientation, bool big_endian) {
  Bytes out;
  const auto put = [&](std::uint64_t value, int bytes) {
    big_endian ? append_big(out, value, bytes) : append_little(out, value, bytes);
  };
  append_text(out, big_endian ? "MM" : "II");
  put(42, 2);
  put(8, 4);       // where the directory begins
  put(1, 2);       // entries
  put(0x0112, 2);  // orientation
  put(3, 2);       // a short
  put(1, 4);
  put(static_cast<std::uint64_t>(orientation), 2);
  put(0, 2);
  return out;
}

Bytes png(std::size_t channels, std::size_t height, std::size_t width, std::span<const std::uint8_t> pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(height);
  image.width = static_cast<png_uint_32>(width);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr);
  Bytes out(size);
  png_image_write_to_memory(&image, out.data(), &size, 0, pixels.data(), 0, nullptr);
  out.resize(size);
  return out;
}

Bytes jpeg(std::size_t channels, std::size_t height, std::size_t width, std::span<const std::uint8_t> pixels,
           bool progressive) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = static_cast<int>(channels);
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPLE*>(pixels.data() + info.next_scanline * width * channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  Bytes out(buffer, buffer + size);
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return out;
}

}  // namespace velum::testing
