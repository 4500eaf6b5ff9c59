// Memory for ciphertexts, kept from run to run. Pages fresh from the system cost a zeroing each, and on a
// virtual machine much more, so freed memory is used again whatever its new size: the smallest place that
// fits. Where none does, free pages go back to the system before more are taken, so that resident memory
// stays close to the most that is in use at a time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/aligned_buffer.h"

namespace velum::engine {

class MemoryPool {
 public:
  using u64 = std::uint64_t;

  // `expected`: the most bytes that will be in use at a time; address space is taken from the system in
  // pieces of up to that, and touched only as it is used.
  explicit MemoryPool(std::uint64_t expected) : expected_(expected) {}
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // 64-byte aligned; the contents are undefined. Not thread-safe.
  u64* take(std::size_t words);
  void give(u64* block, std::size_t words);  // as it was taken

  std::uint64_t bytes_in_use() const { return in_use_; }
  std::uint64_t peak_in_use() const { return peak_; }
  void restart_peak() { peak_ = in_use_; }

 private:
  using Free = std::map<u64*, std::size_t>;  // words, by address
  Free::iterator add_region(std::size_t words);

  std::uint64_t expected_, in_use_ = 0, peak_ = 0;
  std::vector<AlignedBuffer<u64>> regions_;
  Free free_;  // neighbours of one region are joined
};

}  // namespace velum::engine
