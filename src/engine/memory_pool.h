// Memory for ciphertexts, kept from run to run. Pages fresh from the system cost a zeroing each, and on a
// virtual machine much more, so freed memory is used again whatever its new size: the smallest place that
// fits. Where none does and more would go beyond what is expected, free pages go back to the system first:
// what is resident never exceeds the expected, however the places are broken up.
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
  struct Free {
    std::size_t words = 0;
    bool touched =
        false;  // resident: never so before its first use, nor after it was given back to the system
  };
  using Places = std::map<u64*, Free>;  // by address; neighbours of one region that are alike are joined

  Places::iterator find_place(std::size_t words);
  Places::iterator insert(u64* begin, Free place);
  void add_region(std::size_t words);
  void release_all();

  std::uint64_t expected_, in_use_ = 0, peak_ = 0, touched_free_ = 0;  // bytes
  std::vector<AlignedBuffer<u64>> regions_;
  Places free_;
};

}  // namespace velum::engine
