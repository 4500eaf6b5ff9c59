#include "base/progress.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace velum {
namespace {

TEST(Progress, Durations) {
  EXPECT_EQ(format_duration(0.0123), "12 ms");
  EXPECT_EQ(format_duration(0.85), "850 ms");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(245), "4 min 05 s");
  EXPECT_EQ(format_duration(2 * 3600 + 61), "2 h 01 min");
}

// A resumed run is as far as it is, but not as fast: what was done before took none of the time since.
TEST(Progress, RemainingTimeGoesByWhatWasDoneSince) {
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 0, 25, 100), 30);
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 60, 80, 100), 10);
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 60, 100, 100), 0);
  EXPECT_LT(remaining_seconds(10, 60, 60.1, 100), 0);  // too early to say
}

TEST(Progress, Sizes) {
  EXPECT_EQ(format_bytes(12), "12 B");
  EXPECT_EQ(format_bytes(12000), "12.0 kB");
  EXPECT_EQ(format_bytes(12.5e6), "12.5 MB");
  EXPECT_EQ(format_bytes(1.5 * (1 << 30)), "1.50 GiB");
}

TEST(Error, KnowsItsExitCodeAndContext) {
  const Error user(ErrorKind::user, "layer 3 is too deep");
  EXPECT_EQ(user.exit_code(), 2);
  EXPECT_EQ(Error(ErrorKind::failure, "").exit_code(), 1);
  const auto within = user.within("model.onnx");
  EXPECT_STREQ(within.what(), "model.onnx: layer 3 is too deep");
  EXPECT_EQ(within.exit_code(), 2);
}

}  // namespace
}  // namespace velum
