#include "engine/memory_pool.h"

#include <algorithm>
#include <span>

#include "base/memory.h"

namespace velum::engine {

namespace {

constexpr std::size_t kLine = 8;  // words of a cache line

// Limbs are powers of two long: without an odd number of lines between them, the same columns of all elements
// would share a few sets of every cache.
constexpr std::size_t kBetween = 5 * kLine;

std::size_t block_words(std::size_t words) {
  return (words + kLine - 1) / kLine * kLine + kBetween;
}

}  // namespace

std::uint64_t* MemoryPool::take(std::size_t words) {
  words = block_words(words);
  auto fit = free_.end();
  for (auto f = free_.begin(); f != free_.end(); ++f)
    if (f->second >= words && (fit == free_.end() || f->second < fit->second)) fit = f;
  if (fit == free_.end()) fit = add_region(words);
  u64* const block = fit->first;
  const std::size_t rest = fit->second - words;
  const auto after = free_.erase(fit);
  if (rest) free_.emplace_hint(after, block + words, rest);
  in_use_ += words * sizeof(u64);
  peak_ = std::max(peak_, in_use_);
  return block;
}

// The first region holds everything if nothing is lost between blocks; later ones are for what is.
MemoryPool::Free::iterator MemoryPool::add_region(std::size_t words) {
  for (const auto& [begin, size] : free_) release_pages(std::as_writable_bytes(std::span(begin, size)));
  const std::size_t wished = block_words(expected_ / (regions_.empty() ? 1 : 8) / sizeof(u64));
  auto& region = regions_.emplace_back(std::max(words, wished));
  return free_.emplace(region.data(), region.size()).first;
}

void MemoryPool::give(u64* block, std::size_t words) {
  words = block_words(words);
  in_use_ -= words * sizeof(u64);
  // Two regions may happen to be neighbours in memory: a block must not reach over their border.
  const auto begins_region = [&](const u64* at) {
    return std::any_of(regions_.begin(), regions_.end(), [&](const auto& r) { return r.data() == at; });
  };
  auto next = free_.lower_bound(block);
  if (next != free_.end() && block + words == next->first && !begins_region(next->first)) {
    words += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == block && !begins_region(block)) {
      previous->second += words;
      return;
    }
  }
  free_.emplace_hint(next, block, words);
}

}  // namespace velum::engine
