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
Bytes zip(const Members& members, bool deflated);

// Interleaved pixels; channels 1 or 3.
Bytes png(std::size_t channels, std::size_t height, std::size_t width, std::span<const std::uint8_t> pixels);
Bytes jpeg(std::size_t channels, std::size_t height, std::size_t width, std::span<const std::uint8_t> pixels,
           bool progressive = false);

}  // namespace velum::testing
