// Small data files in every format, written by code that shares nothing with the readers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace velum::testing {

using Bytes = std::vector<std::uint8_t>;

void append(Bytes& to, std::span<const std::uint8_t> bytes);
void append_text(Bytes& to, const std::string& text);
void append_little(Bytes& to, std::uint64_t value, int bytes);
void append_big(Bytes& to, std::uint64_t value, int bytes);

Bytes gzip(std::span<const std::uint8_t> bytes);
Bytes idx(const std::vector<std::uint32_t>& shape, std::span<const std::uint8_t> values);
// n values that vary: (i * step + start) mod 256, kept below `below`.
Bytes ramp(std::size_t n, unsigned step = 7, unsigned start = 3, unsigned below = 256);

// type and shape as NumPy writes them: npy("<f4", "(3, 4)", ...).
Bytes npy(const std::string& type, const std::string& shape, std::span<const std::uint8_t> values,
          int version = 1);
template <typename T>
Bytes npy_of(const std::string& type, const std::string& shape, const std::vector<T>& values,
             int version = 1) {
  return npy(type, shape, {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)},
             version);
}
using Members = std::vector<std::pair<std::string, Bytes>>;
// zip64: every size and offset in the blocks of files over 4 GiB.
Bytes zip(const Members& members, bool deflated, bool zip64 = false);

// A PNG as PNG has it: colour type (0 grey, 2 RGB, 3 palette, 4 grey and 6 RGB with alpha), bits a channel,
// the bytes of its rows, and chunks before the pixels.
Bytes raw_png(int colours, int depth, std::size_t height, std::size_t width,
              std::span<const std::uint8_t> rows,
              const std::vector<std::pair<std::string, Bytes>>& chunks = {});
// An Exif block that says nothing else.
Bytes exif_orientation(int orientation, bool big_endian);

// Interleaved pixels; channels 1 or 3.
Bytes png(std::size_t channels, std::size_t height, std::size_t width, std::span<const std::uint8_t> pixels);
Bytes jpeg(std::size_t channels, std::size_t height, std::size_t width, std::span<const std::uint8_t> pixels,
           bool progressive = false);

}  // namespace velum::testing
