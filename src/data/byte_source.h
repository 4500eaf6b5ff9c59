// Bytes from outside, read where and when they are needed: a file, or a block of memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace velum::data {

struct ByteSource {
  std::uint64_t size = 0;
  // Fills `out` from there; within `size`. Thread-safe.
  std::function<void(std::uint64_t offset, std::span<std::uint8_t> out)> read_at;
};

ByteSource open_source(const std::string& path);
ByteSource source_of(std::span<const std::uint8_t> bytes);  // which must outlive it
ByteSource part_of(const ByteSource& whole, std::uint64_t offset, std::uint64_t size);

// The next bytes of something read from beginning to end: fills the whole block or refuses.
using ReadNext = std::function<void(std::span<std::uint8_t>)>;
ReadNext read_from(const ByteSource& source, std::uint64_t offset, const std::string& what);

}  // namespace velum::data
