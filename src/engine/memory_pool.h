// Blocks of memory for ciphertexts, kept for the next row of about the same size. Pages fresh from the system
// cost a zeroing each, and on a virtual machine much more; a run that streams through the same few blocks
// pays once.
#pragma once

#include <cstdint>
#include <map>

#include "base/aligned_buffer.h"

namespace velum::engine {

class MemoryPool {
 public:
  using Block = AlignedBuffer<std::uint64_t>;

  // Spare blocks are given back to the system before blocks in use and spare ones together would exceed
  // `limit` bytes.
  explicit MemoryPool(std::uint64_t limit) : limit_(limit) {}

  // At least `words` words, at most a tenth more; the contents are undefined.
  Block take(std::size_t words);
  void give(Block block);

  std::uint64_t bytes_in_use() const { return in_use_; }
  std::uint64_t peak_in_use() const { return peak_; }
  void restart_peak() { peak_ = in_use_; }

 private:
  std::uint64_t limit_, in_use_ = 0, spare_bytes_ = 0, peak_ = 0;
  std::multimap<std::size_t, Block> spare_;  // by words
};

}  // namespace velum::engine
