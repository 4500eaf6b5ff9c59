#include "base/units.h"

#include <gtest/gtest.h>

namespace velum {
namespace {

TEST(Units, Durations) {
  EXPECT_EQ(format_duration(0.0123), "12 ms");
  EXPECT_EQ(format_duration(0.85), "850 ms");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(245), "4 min 05 s");
  EXPECT_EQ(format_duration(2 * 3600 + 61), "2 h 01 min");
}

TEST(Units, Sizes) {
  EXPECT_EQ(format_bytes(12), "12 B");
  EXPECT_EQ(format_bytes(12000), "12.0 kB");
  EXPECT_EQ(format_bytes(12.5e6), "12.5 MB");
  EXPECT_EQ(format_bytes(999.9e6), "999.9 MB");
  EXPECT_EQ(format_bytes(1.5 * (1 << 30)), "1.61 GB");
}

TEST(Units, Counts) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(8192), "8,192");
  EXPECT_EQ(format_count(1000042), "1,000,042");
}

}  // namespace
}  // namespace velum
