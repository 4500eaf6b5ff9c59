#include "engine/memory_pool.h"

#include <gtest/gtest.h>

namespace velum::engine {
namespace {

TEST(MemoryPool, ReusesABlockOfAboutTheSameSize) {
  MemoryPool pool(1 << 20);
  auto a = pool.take(1000);
  const auto* where = a.data();
  pool.give(std::move(a));
  auto b = pool.take(950);
  EXPECT_EQ(b.data(), where);
  EXPECT_EQ(pool.bytes_in_use(), 8000u);
}

TEST(MemoryPool, DoesNotLendABlockThatIsMuchTooLarge) {
  MemoryPool pool(1 << 20);
  pool.give(pool.take(1000));
  EXPECT_EQ(pool.take(500).size(), 500u);
}

TEST(MemoryPool, GivesSpareBlocksBackBeforeItExceedsItsLimit) {
  MemoryPool pool(10000 * 8);
  pool.give(pool.take(6000));
  const auto big = pool.take(9000);  // 6000 spare + 9000 would be too much
  EXPECT_EQ(big.size(), 9000u);
  EXPECT_EQ(pool.bytes_in_use(), 72000u);
  EXPECT_EQ(pool.peak_in_use(), 72000u);
}

}  // namespace
}  // namespace velum::engine
