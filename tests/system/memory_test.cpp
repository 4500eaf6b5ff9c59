#include "system/memory.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/aligned_buffer.h"
#include "base/cpu.h"

namespace velum {
namespace {

TEST(Memory, GrowsWithWhatIsTouched) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  const auto before = current_rss_bytes();
  ASSERT_GT(before, 0u);
  {
    AlignedBuffer<char> buffer(kBytes);
    std::memset(buffer.data(), 1, kBytes);
    EXPECT_GE(current_rss_bytes(), before + kBytes * 9 / 10);
    EXPECT_GE(peak_rss_bytes(), before + kBytes * 9 / 10);
  }
  EXPECT_GE(peak_rss_bytes(), before + kBytes * 9 / 10);
}

TEST(Memory, AvailableIsPlausible) {
  ASSERT_TRUE(available_memory_bytes());
  EXPECT_GT(available_memory_bytes(), std::uint64_t{1} << 20);
  EXPECT_LT(available_memory_bytes(), std::uint64_t{1} << 50);
}

TEST(Cpu, HasANameAndConsistentFeatures) {
  EXPECT_FALSE(cpu_name().empty());
  const auto f = detect_cpu();
  EXPECT_TRUE(!f.avx512_vnni || f.avx512);
  EXPECT_TRUE(!f.avx512_ifma || f.avx512);
  EXPECT_TRUE(!f.avx512_bf16 || f.avx512);
}

}  // namespace
}  // namespace velum
