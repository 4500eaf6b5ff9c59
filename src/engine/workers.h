// The threads of a run: parallel loops whose time is counted, and scratch memory for each thread that is kept
// from task to task (pages that come and go cost a zeroing each).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/aligned_buffer.h"

namespace velum::engine {

class Workers {
 public:
  using u64 = std::uint64_t;

  explicit Workers(std::size_t count) { use(count); }
  // So many from here on; what memory there is, is kept.
  void use(std::size_t count);
  std::size_t count() const { return count_; }

  // As velum::parallel_for, with so many workers whatever use_threads says meanwhile.
  void loop(std::size_t count, const std::function<void(std::size_t i, int worker)>& body);
  // Time spent in loops so far, as the caller sees it. What a run takes beyond is serial.
  double loop_seconds() const { return loop_seconds_; }

  // At least `words` words for this worker's sole use, until it asks again; the contents are undefined but
  // stay where no more words are asked for.
  u64* take(int worker, std::size_t words);

 private:
  std::size_t count_ = 1;
  std::vector<AlignedBuffer<u64>> buffers_;
  double loop_seconds_ = 0;
};

}  // namespace velum::engine
