#include "engine/workers.h"

#include <algorithm>
#include <chrono>

#include "base/parallel.h"

namespace velum::engine {

void Workers::use(std::size_t count) {
  count_ = std::max<std::size_t>(count, 1);
  if (buffers_.size() < count_) buffers_.resize(count_);
}

void Workers::loop(std::size_t count, const std::function<void(std::size_t, int)>& body) {
  const auto start = std::chrono::steady_clock::now();
  parallel_for(count, static_cast<int>(count_), body);
  loop_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Workers::u64* Workers::take(int worker, std::size_t words) {
  auto& buffer = buffers_[static_cast<std::size_t>(worker)];
  if (buffer.size() < words) {
    buffer = {};  // not both at a time
    buffer = AlignedBuffer<u64>(words);
  }
  return buffer.data();
}

}  // namespace velum::engine
