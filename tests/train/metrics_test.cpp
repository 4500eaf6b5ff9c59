#include "train/metrics.h"

#include <gtest/gtest.h>

namespace velum::train {
namespace {

TEST(Metrics, FloatLogitsAreMeasuredAsDoublesAre) {
  // True 0 0 0 1 1; predicted 0 0 1 1 0.
  const std::vector<float> logits = {2, 0, 1, 0, 0, 1, -1, 3, 2, 1};
  const auto m = measure(logits, std::vector<std::int64_t>{0, 0, 0, 1, 1}, 2);
  EXPECT_DOUBLE_EQ(m.accuracy, 0.6);
  EXPECT_EQ(m.confusion, (std::vector<std::vector<std::size_t>>{{2, 1}, {1, 1}}));
  EXPECT_DOUBLE_EQ(m.macro_f1, (2 * 2.0 / (3 + 3) + 2 * 1.0 / (2 + 2)) / 2);
  EXPECT_DOUBLE_EQ(*m.auc, 4.5 / 6);
}

}  // namespace
}  // namespace velum::train
