#include "engine/memory_pool.h"

#include <algorithm>

namespace velum::engine {

namespace {

std::uint64_t bytes_of(std::size_t words) {
  return std::uint64_t{words} * sizeof(std::uint64_t);
}

}  // namespace

MemoryPool::Block MemoryPool::take(std::size_t words) {
  Block block;
  const auto fit = spare_.lower_bound(words);
  if (fit != spare_.end() && fit->first <= words + words / 10) {
    block = std::move(fit->second);
    spare_bytes_ -= bytes_of(fit->first);
    spare_.erase(fit);
  } else {
    while (!spare_.empty() && in_use_ + spare_bytes_ + bytes_of(words) > limit_) {
      const auto largest = std::prev(spare_.end());
      spare_bytes_ -= bytes_of(largest->first);
      spare_.erase(largest);
    }
    block = Block(words);
  }
  in_use_ += bytes_of(block.size());
  peak_ = std::max(peak_, in_use_);
  return block;
}

void MemoryPool::give(Block block) {
  if (block.empty()) return;
  in_use_ -= bytes_of(block.size());
  spare_bytes_ += bytes_of(block.size());
  const auto words = block.size();
  spare_.emplace(words, std::move(block));
}

}  // namespace velum::engine
