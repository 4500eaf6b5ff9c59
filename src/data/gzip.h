// Inflating bytes from outside: never more than was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace velum::data {

enum class Deflate { gzip, raw };

bool is_gzip(std::span<const std::uint8_t> bytes);
// The first bytes of the contents, at most `limit` (fewer where the contents are shorter).
std::vector<std::uint8_t> inflate_begin(std::span<const std::uint8_t> bytes, Deflate format,
                                        std::size_t limit, const std::string& what);
// The contents, which must be exactly `size` bytes, checksum included for gzip.
std::vector<std::uint8_t> inflate_all(std::span<const std::uint8_t> bytes, Deflate format, std::size_t size,
                                      const std::string& what);

}  // namespace velum::data
