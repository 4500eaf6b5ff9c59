// Scratch memory of each thread, kept from task to task: pages that come and go cost a zeroing each.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"

namespace velum::engine {

class WorkerMemory {
 public:
  using u64 = std::uint64_t;

  explicit WorkerMemory(std::size_t workers) : buffers_(workers) {}

  // At least `words` words for this worker's sole use, until it asks again; the contents are undefined.
  u64* take(int worker, std::size_t words) {
    auto& buffer = buffers_[static_cast<std::size_t>(worker)];
    if (buffer.size() < words) {
      buffer = {};  // not both at a time
      buffer = AlignedBuffer<u64>(words);
    }
    return buffer.data();
  }

 private:
  std::vector<AlignedBuffer<u64>> buffers_;
};

}  // namespace velum::engine
