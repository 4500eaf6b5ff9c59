// Inflating bytes from outside, as they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "data/byte_source.h"

namespace velum::data {

enum class Deflate {
  gzip,  // one member or several, one after the other, as gzip and pigz write them
  raw,
};

bool is_gzip(std::span<const std::uint8_t> first_bytes);

class Inflater {
 public:
  Inflater(ByteSource packed, Deflate format, std::string what);
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  // Fills as much of `out` as there is; returns the number of bytes.
  std::size_t read(std::span<std::uint8_t> out);
  // Fills all of it; refuses contents that are shorter than the `announced` bytes.
  void read_all(std::span<std::uint8_t> out, std::uint64_t announced);
  // Refuses contents that go on, or break off before their end (checksum included for gzip), and packed bytes
  // behind it.
  void expect_end(std::uint64_t announced);
  // CRC-32 of what was read so far.
  std::uint32_t crc() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Deflate shrinks at most 1032 to 1: a size beyond that is a lie, found before memory is taken for it.
void check_inflated_size(std::uint64_t inflated, std::uint64_t packed, const std::string& what);

}  // namespace velum::data
