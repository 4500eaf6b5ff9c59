#include "engine/memory_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/memory.h"

namespace velum::engine {
namespace {

TEST(MemoryPool, UsesFreedMemoryForOtherSizes) {
  MemoryPool pool(1 << 20);
  auto* a = pool.take(1000);
  auto* b = pool.take(1000);
  auto* c = pool.take(1000);
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  pool.give(b, 1000);
  EXPECT_EQ(pool.take(500), b);  // the lowest place that fits
  EXPECT_GT(pool.take(600), c);  // what is left of b's place is too small
}

TEST(MemoryPool, JoinsNeighbours) {
  MemoryPool pool(1 << 20);
  std::vector<MemoryPool::u64*> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(pool.take(1000));
  pool.give(blocks[0], 1000);
  pool.give(blocks[2], 1000);
  pool.give(blocks[1], 1000);  // between two free ones
  EXPECT_EQ(pool.take(3000), blocks[0]);
}

TEST(MemoryPool, CountsWhatIsInUse) {
  MemoryPool pool(1 << 20);
  auto* a = pool.take(6000);
  auto* b = pool.take(9000);
  EXPECT_GE(pool.bytes_in_use(), 15000u * 8);
  EXPECT_LE(pool.bytes_in_use(), 15000u * 8 + 1024);
  pool.give(a, 6000);
  pool.give(b, 9000);
  EXPECT_EQ(pool.bytes_in_use(), 0u);
  EXPECT_GE(pool.peak_in_use(), 15000u * 8);
  pool.restart_peak();
  EXPECT_EQ(pool.peak_in_use(), 0u);
}

// Fragments that nothing fits into do not stay resident beside what replaces them.
TEST(MemoryPool, KeepsNoMoreResidentThanExpected) {
  constexpr std::size_t kWords = std::size_t{1} << 19;  // 4 MiB each
  constexpr std::uint64_t kExpected = 32 * kWords * 8;
  MemoryPool pool(kExpected);
  const auto before = current_rss_bytes();
  const auto fill = [&](std::size_t words, MemoryPool::u64 value) {
    auto* block = pool.take(words);
    std::fill_n(block, words, value);
    return block;
  };
  std::vector<MemoryPool::u64*> blocks;
  for (int i = 0; i < 30; ++i) blocks.push_back(fill(kWords, 1));
  for (int i = 0; i < 30; i += 2) pool.give(blocks[i], kWords);
  // Half is free, in pieces of 4 MiB: blocks of 6 MiB fit nowhere, and are as many as fit in all.
  for (int i = 0; i < 10; ++i) fill(kWords + kWords / 2, 2);
  EXPECT_LE(current_rss_bytes(), before + kExpected + (4u << 20));
  for (int i = 1; i < 30; i += 2) ASSERT_EQ(std::count(blocks[i], blocks[i] + kWords, 1u), kWords);
}

TEST(MemoryPool, TakesAnotherRegionWhereTheExpectedOneIsFull) {
  MemoryPool pool(8000);
  auto* a = pool.take(900);
  auto* b = pool.take(5000);
  std::fill_n(a, 900, 1);
  std::fill_n(b, 5000, 2);
  EXPECT_EQ(std::count(a, a + 900, 1u), 900);
}

// Blocks are aligned and never overlap, whatever the order.
TEST(MemoryPool, BlocksNeverOverlap) {
  MemoryPool pool(1 << 18);
  std::mt19937 random(1);
  std::map<MemoryPool::u64*, std::size_t> held;
  for (int i = 0; i < 3000; ++i) {
    if (!held.empty() && random() % 2) {
      const auto at = std::next(held.begin(), random() % static_cast<std::ptrdiff_t>(held.size()));
      pool.give(at->first, at->second);
      held.erase(at);
      continue;
    }
    const std::size_t words = 1 + random() % 3000;
    auto* const block = pool.take(words);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    const auto next = held.lower_bound(block);
    if (next != held.end()) {
      ASSERT_LE(block + words, next->first);
    }
    if (next != held.begin()) {
      ASSERT_LE(std::prev(next)->first + std::prev(next)->second, block);
    }
    held[block] = words;
  }
  for (const auto& [block, words] : held) pool.give(block, words);
  EXPECT_EQ(pool.bytes_in_use(), 0u);
}

}  // namespace
}  // namespace velum::engine
