#include "engine/memory_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>
#include <vector>

#include "system/memory.h"

namespace velum::engine {
namespace {

TEST(MemoryPool, UsesFreedMemoryForOtherSizes) {
  MemoryPool pool(1 << 20);
  const auto a = pool.take(1000);
  auto b = pool.take(1000);
  const auto c = pool.take(1000);
  const auto* place = b.data();
  EXPECT_LT(a.data(), place);
  EXPECT_LT(place, c.data());
  b.reset();
  const auto d = pool.take(500);
  EXPECT_EQ(d.data(), place);  // the lowest place that fits
  const auto e = pool.take(600);
  EXPECT_GT(e.data(), c.data());  // what is left of b's place is too small
}

TEST(MemoryPool, JoinsNeighbours) {
  MemoryPool pool(1 << 20);
  std::vector<PoolBlock> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(pool.take(1000));
  const auto* place = blocks[0].data();
  for (const std::size_t i : {0u, 2u, 1u}) blocks[i].reset();  // the last between two free ones
  const auto all = pool.take(3000);
  EXPECT_EQ(all.data(), place);
}

TEST(MemoryPool, CountsWhatIsInUse) {
  MemoryPool pool(1 << 20);
  auto a = pool.take(6000);
  auto b = pool.take(9000);
  EXPECT_GE(pool.bytes_in_use(), 15000u * 8);
  EXPECT_LE(pool.bytes_in_use(), 15000u * 8 + 1024);
  a.reset();
  b.reset();
  b.reset();  // nothing is left to give
  EXPECT_EQ(pool.bytes_in_use(), 0u);
  EXPECT_GE(pool.peak_in_use(), 15000u * 8);
  pool.restart_peak();
  EXPECT_EQ(pool.peak_in_use(), 0u);
}

TEST(MemoryPool, BlocksComeBackWhereAnExceptionPasses) {
  MemoryPool pool(1 << 20);
  try {
    std::vector<PoolBlock> blocks;
    for (int i = 0; i < 5; ++i) blocks.push_back(pool.take(1000));
    const auto moved = std::move(blocks[2]);
    blocks[3] = std::move(blocks[4]);
    throw std::runtime_error("between taking and giving");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(pool.bytes_in_use(), 0u);
}

// Between two batches somebody else may need what the pool keeps.
TEST(MemoryPool, GivesFreePagesBackWhenAsked) {
  constexpr std::size_t kWords = (64u << 20) / 8;
  MemoryPool pool(kWords * 8 + (1u << 20));
  const auto fill = [&] {
    auto block = pool.take(kWords);
    std::fill_n(block.data(), kWords, 1u);
    return current_rss_bytes();
  };
  const auto before = current_rss_bytes();
  EXPECT_GT(fill(), before + kWords * 8 / 2);
  EXPECT_GT(current_rss_bytes(), before + kWords * 8 / 2) << "the pool keeps nothing: the test shows nothing";
  pool.release_free();
  EXPECT_LT(current_rss_bytes(), before + kWords * 8 / 2);
  EXPECT_GT(fill(), before + kWords * 8 / 2);
}

// Fragments that nothing fits into do not stay resident beside what replaces them.
TEST(MemoryPool, KeepsNoMoreResidentThanExpected) {
  constexpr std::size_t kWords = std::size_t{1} << 19;  // 4 MiB each
  constexpr std::uint64_t kExpected = 32 * kWords * 8;
  MemoryPool pool(kExpected);
  const auto before = current_rss_bytes();
  const auto fill = [&](std::size_t words, MemoryPool::u64 value) {
    auto block = pool.take(words);
    std::fill_n(block.data(), words, value);
    return block;
  };
  std::vector<PoolBlock> blocks;
  for (int i = 0; i < 30; ++i) blocks.push_back(fill(kWords, 1));
  for (std::size_t i = 0; i < 30; i += 2) blocks[i].reset();
  // Half is free, in pieces of 4 MiB: blocks of 6 MiB fit nowhere, and are as many as fit in all.
  for (int i = 0; i < 10; ++i) blocks.push_back(fill(kWords + kWords / 2, 2));
  EXPECT_LE(current_rss_bytes(), before + kExpected + (4u << 20));
  for (std::size_t i = 1; i < 30; i += 2)
    ASSERT_EQ(std::count(blocks[i].data(), blocks[i].data() + kWords, 1u), kWords);
}

TEST(MemoryPool, TakesAnotherRegionWhereTheExpectedOneIsFull) {
  MemoryPool pool(8000);
  const auto a = pool.take(900);
  const auto b = pool.take(5000);
  std::fill_n(a.data(), 900, 1);
  std::fill_n(b.data(), 5000, 2);
  EXPECT_EQ(std::count(a.data(), a.data() + 900, 1u), 900);
}

// Blocks are aligned and never overlap, whatever the order.
TEST(MemoryPool, BlocksNeverOverlap) {
  MemoryPool pool(1 << 18);
  std::mt19937 random(1);
  std::map<MemoryPool::u64*, std::pair<std::size_t, PoolBlock>> held;
  for (int i = 0; i < 3000; ++i) {
    if (!held.empty() && random() % 2) {
      held.erase(std::next(held.begin(), random() % static_cast<std::ptrdiff_t>(held.size())));
      continue;
    }
    const std::size_t words = 1 + random() % 3000;
    auto handle = pool.take(words);
    auto* const block = handle.data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    const auto next = held.lower_bound(block);
    if (next != held.end()) {
      ASSERT_LE(block + words, next->first);
    }
    if (next != held.begin()) {
      ASSERT_LE(std::prev(next)->first + std::prev(next)->second.first, block);
    }
    held.emplace(block, std::pair{words, std::move(handle)});
  }
  held.clear();
  EXPECT_EQ(pool.bytes_in_use(), 0u);
}

}  // namespace
}  // namespace velum::engine
