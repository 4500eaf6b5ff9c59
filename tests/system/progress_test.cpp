#include "system/progress.h"

#include <gtest/gtest.h>

namespace velum {
namespace {

// A resumed run is as far as it is, but not as fast: what was done before took none of the time since.
TEST(Progress, RemainingTimeGoesByWhatWasDoneSince) {
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 0, 25, 100), 30);
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 60, 80, 100), 10);
  EXPECT_DOUBLE_EQ(remaining_seconds(10, 60, 100, 100), 0);
  EXPECT_LT(remaining_seconds(10, 60, 60.1, 100), 0);  // too early to say
}

}  // namespace
}  // namespace velum
