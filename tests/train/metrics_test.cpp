#include "train/metrics.h"

#include <gtest/gtest.h>

namespace velum::train {
namespace {

TEST(Metrics, SmallCaseByHand) {
  // True 0 0 0 1 1; predicted 0 0 1 1 0.
  const std::vector<float> logits = {2, 0, 1, 0, 0, 1, -1, 3, 2, 1};
  const std::vector<std::int64_t> labels = {0, 0, 0, 1, 1};
  const auto m = measure(logits, labels, 2);
  EXPECT_DOUBLE_EQ(m.accuracy, 0.6);
  EXPECT_EQ(m.confusion, (std::vector<std::int64_t>{2, 1, 1, 1}));
  EXPECT_DOUBLE_EQ(m.f1[0], 2 * 2.0 / (3 + 3));
  EXPECT_DOUBLE_EQ(m.f1[1], 2 * 1.0 / (2 + 2));
  EXPECT_DOUBLE_EQ(m.macro_f1, (m.f1[0] + m.f1[1]) / 2);
  // Margins of class 1: -2 -1 1 | 4 -1. Of the six pairs the positives win 3 (4) and 1.5 (-1: beats -2, ties
  // -1).
  EXPECT_DOUBLE_EQ(m.auc, 4.5 / 6);
}

TEST(Metrics, AreaUnderRocIsHalfWithoutBothClassesAndOneWhenSeparated) {
  const std::vector<double> scores = {0.1, 0.4, 0.6};
  EXPECT_DOUBLE_EQ(area_under_roc(scores, {false, false, false}), 0.5);
  EXPECT_DOUBLE_EQ(area_under_roc(scores, {false, true, true}), 1);
  EXPECT_DOUBLE_EQ(area_under_roc(scores, {true, false, false}), 0);
  EXPECT_DOUBLE_EQ(area_under_roc(std::vector<double>{1, 1, 1}, {true, false, false}), 0.5);
}

}  // namespace
}  // namespace velum::train
