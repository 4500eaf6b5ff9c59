#include "cli/predictions.h"

#include <gtest/gtest.h>

namespace velum::cli {
namespace {

TEST(Predictions, CsvLeavesUnknownLabelsEmpty) {
  EXPECT_EQ(predictions_csv(std::vector<double>{1, 2}, 2, {}),
            "index,predicted,true,output_0,output_1\n0,1,,1,2\n");
  EXPECT_EQ(predictions_csv(std::vector<double>{1, 2}, 2, std::vector<std::int32_t>{7}),
            "index,predicted,true,output_0,output_1\n0,1,7,1,2\n");
}

}  // namespace
}  // namespace velum::cli
