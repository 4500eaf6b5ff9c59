#include "cli/predictions.h"

#include <gtest/gtest.h>

namespace velum::cli {
namespace {

TEST(Predictions, SingleOutputIsASign) {
  const std::vector<double> outputs = {-0.5, 0.25, 0};
  EXPECT_EQ(predicted_classes(outputs, 1), (std::vector<std::int32_t>{0, 1, 0}));
}

TEST(Predictions, QualityByHand) {
  // Three classes, six images: class 0 twice right, class 1 once right and once taken for 2, class 2 once
  // each way.
  const std::vector<double> outputs = {3, 1, 0, 2, 1, 0, 0, 2, 1, 0, 1, 2, 0, 0, 5, 4, 0, 3};
  const std::vector<std::int32_t> labels = {0, 0, 1, 1, 2, 2};
  const auto q = measure(outputs, 3, labels, {"a", "b", "c"});
  EXPECT_DOUBLE_EQ(q.accuracy, 4.0 / 6);
  EXPECT_EQ(q.confusion, (std::vector<std::vector<std::size_t>>{{2, 0, 0}, {0, 1, 1}, {1, 0, 1}}));
  EXPECT_DOUBLE_EQ(q.f1[0], 4.0 / 5);
  EXPECT_DOUBLE_EQ(q.f1[1], 2.0 / 3);
  EXPECT_DOUBLE_EQ(q.f1[2], 2.0 / 4);
  EXPECT_DOUBLE_EQ(q.macro_f1, (4.0 / 5 + 2.0 / 3 + 0.5) / 3);
}

TEST(Predictions, AreaUnderTheCurveCountsPairs) {
  // Scores 1, 2, 2, 3; positives are the second 2 and the 3: pairs (2>1), (2=2), (3>1), (3>2) -> 3.5 of 4.
  const std::vector<double> outputs = {1, 2, 2, 3};
  const auto q = measure(outputs, 1, std::vector<std::int32_t>{0, 0, 1, 1}, {});
  EXPECT_DOUBLE_EQ(q.auc, 3.5 / 4);
}

TEST(Predictions, CsvLeavesUnknownLabelsEmpty) {
  EXPECT_EQ(predictions_csv(std::vector<double>{1, 2}, 2, {}),
            "index,predicted,true,output_0,output_1\n0,1,,1,2\n");
  EXPECT_EQ(predictions_csv(std::vector<double>{1, 2}, 2, std::vector<std::int32_t>{7}),
            "index,predicted,true,output_0,output_1\n0,1,7,1,2\n");
}

}  // namespace
}  // namespace velum::cli
