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

class MemoryPool;

// A block of a pool's memory, given back when the handle dies: also where an exception passes. The pool
// outlives its blocks.
class PoolBlock {
 public:
  using u64 = std::uint64_t;

  PoolBlock() = default;
  PoolBlock(PoolBlock&& o) noexcept;
  PoolBlock& operator=(PoolBlock&& o) noexcept;
  PoolBlock(const PoolBlock&) = delete;
  PoolBlock& operator=(const PoolBlock&) = delete;
  ~PoolBlock() { reset(); }

  explicit operator bool() const { return data_ != nullptr; }
  u64* data() const& { return data_; }
  u64* data() const&& = delete;  // the memory goes with the handle
  void reset();                  // gives it back

 private:
  friend class MemoryPool;
  PoolBlock(MemoryPool& pool, u64* data, std::size_t words) : pool_(&pool), data_(data), words_(words) {}

  MemoryPool* pool_ = nullptr;
  u64* data_ = nullptr;
  std::size_t words_ = 0;
};

class MemoryPool {
 public:
  using u64 = std::uint64_t;

  // `expected`: the most bytes that will be in use at a time; address space is taken from the system in
  // pieces of up to that, and touched only as it is used.
  explicit MemoryPool(std::uint64_t expected) : expected_(expected) {}
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // 64-byte aligned; the contents are undefined. Not thread-safe.
  [[nodiscard]] PoolBlock take(std::size_t words);

  // Gives the pages of all that is free back to the system: where somebody else needs the memory before the
  // next run.
  void release_free();

  std::uint64_t bytes_in_use() const { return in_use_; }
  std::uint64_t peak_in_use() const { return peak_; }
  void restart_peak() { peak_ = in_use_; }

 private:
  friend class PoolBlock;
  void give(u64* block, std::size_t words);  // as it was taken

  struct Free {
    std::size_t words = 0;
    bool touched =
        false;  // resident: never so before its first use, nor after it was given back to the system
  };
  using Places = std::map<u64*, Free>;  // by address; neighbours of one region that are alike are joined

  Places::iterator find_place(std::size_t words);
  Places::iterator insert(u64* begin, Free place);
  void add_region(std::size_t words);

  std::uint64_t expected_, in_use_ = 0, peak_ = 0, touched_free_ = 0;  // bytes
  std::vector<AlignedBuffer<u64>> regions_;
  Places free_;
};

}  // namespace velum::engine
