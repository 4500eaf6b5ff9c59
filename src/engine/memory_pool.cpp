#include "engine/memory_pool.h"

#include <algorithm>
#include <span>
#include <utility>

#include "system/memory.h"

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

PoolBlock::PoolBlock(PoolBlock&& o) noexcept
    : pool_(o.pool_), data_(std::exchange(o.data_, nullptr)), words_(o.words_) {}

PoolBlock& PoolBlock::operator=(PoolBlock&& o) noexcept {
  std::swap(pool_, o.pool_);
  std::swap(data_, o.data_);
  std::swap(words_, o.words_);
  return *this;
}

void PoolBlock::reset() {
  if (data_) pool_->give(std::exchange(data_, nullptr), words_);
}

PoolBlock MemoryPool::take(std::size_t asked) {
  const std::size_t words = block_words(asked);
  const std::uint64_t bytes = words * sizeof(u64);
  auto place = find_place(words);
  const bool fresh = place == free_.end() || !place->second.touched;
  if (fresh && touched_free_ > 0 && in_use_ + touched_free_ + bytes > expected_) {
    release_free();
    place = find_place(words);
  }
  if (place == free_.end()) {
    add_region(words);
    place = find_place(words);
  }
  u64* const block = place->first;
  const Free rest{place->second.words - words, place->second.touched};
  if (rest.touched) touched_free_ -= bytes;
  const auto after = free_.erase(place);
  if (rest.words) free_.emplace_hint(after, block + words, rest);
  in_use_ += bytes;
  peak_ = std::max(peak_, in_use_);
  return {*this, block, asked};
}

void MemoryPool::give(u64* block, std::size_t words) {
  words = block_words(words);
  in_use_ -= words * sizeof(u64);
  touched_free_ += words * sizeof(u64);
  insert(block, {words, true});
}

// The smallest that is resident and fits, else the smallest that fits.
MemoryPool::Places::iterator MemoryPool::find_place(std::size_t words) {
  auto best = free_.end();
  for (auto f = free_.begin(); f != free_.end(); ++f) {
    const auto& place = f->second;
    if (place.words < words) continue;
    const bool better = best == free_.end() || (place.touched && !best->second.touched) ||
                        (place.touched == best->second.touched && place.words < best->second.words);
    if (better) best = f;
  }
  return best;
}

MemoryPool::Places::iterator MemoryPool::insert(u64* begin, Free place) {
  // Two regions may happen to be neighbours in memory: a place must not reach over their border.
  const auto begins_region = [&](const u64* at) {
    return std::any_of(regions_.begin(), regions_.end(), [&](const auto& r) { return r.data() == at; });
  };
  auto next = free_.lower_bound(begin);
  if (next != free_.end() && begin + place.words == next->first && next->second.touched == place.touched &&
      !begins_region(next->first)) {
    place.words += next->second.words;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second.words == begin && previous->second.touched == place.touched &&
        !begins_region(begin)) {
      previous->second.words += place.words;
      return previous;
    }
  }
  return free_.emplace_hint(next, begin, place);
}

// The first region holds everything if nothing is lost between blocks; later ones are for what is.
void MemoryPool::add_region(std::size_t words) {
  const std::size_t wished = block_words(expected_ / (regions_.empty() ? 1 : 8) / sizeof(u64));
  auto& region = regions_.emplace_back(std::max(words, wished));
  insert(region.data(), {region.size(), false});
}

void MemoryPool::release_free() {
  const auto places = std::exchange(free_, {});
  for (const auto& [begin, place] : places) {
    if (place.touched) release_pages(std::as_writable_bytes(std::span(begin, place.words)));
    insert(begin, {place.words, false});
  }
  touched_free_ = 0;
}

}  // namespace velum::engine
