// The decoders behind decode_image, one file each. Private to the room.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/image.h"

namespace velum::data {

Image decode_png(std::span<const std::uint8_t> file, const std::string& what);
Image decode_jpeg(std::span<const std::uint8_t> file, const std::string& what);
Image decode_tiff(std::span<const std::uint8_t> file, const std::string& what);
Image decode_bmp(std::span<const std::uint8_t> file, const std::string& what);
Image decode_webp(std::span<const std::uint8_t> file, const std::string& what);
// Grey values through the rescale slope and the first window where the file has them, otherwise over the
// whole range of stored values. No message holds a field of the header.
Image decode_dicom(std::span<const std::uint8_t> file, const std::string& what);

// Refuses, before anything is allocated, a size beyond what is read or what the file's bytes can hold.
void check_image_size(std::uint64_t height, std::uint64_t width, std::size_t file_bytes,
                      const std::string& what);

// The orientation in an Exif block (a TIFF header and its first directory); 1 where it holds none.
int exif_orientation(std::span<const std::uint8_t> block);

}  // namespace velum::data
