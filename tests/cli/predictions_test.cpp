#include "cli/predictions.h"

#include <gtest/gtest.h>

namespace velum::cli {
namespace {

TEST(Predictions, WhatIsUnknownIsLeftEmpty) {
  Taken taken{{2}, {}, 2};
  const std::vector<double> outputs{1, 1};
  EXPECT_EQ(predictions_csv({taken, outputs, outputs, {}, {}}),
            "index,predicted,true,class,probability,output_0,output_1\n0,0,,,0.5,1,1\n");
  taken.form.classes = {"a", "b,c"};
  const std::vector<double> others{0, 800};
  EXPECT_EQ(
      predictions_csv({taken, others, others, std::vector<std::int32_t>{7}, std::vector<std::string>{"x y"}}),
      "index,predicted,true,class,probability,path,output_0,output_1\n0,1,7,\"b,c\",1,x y,0,800\n");
  taken.form.outputs = OutputKind::map;
  EXPECT_EQ(predictions_csv({taken, outputs, outputs, {}, {}}),
            "index,predicted,true,class,probability,output_0,output_1\n0,,,,,1,1\n");
}

TEST(Predictions, ASingleOutputIsCutWhereItIsSaid) {
  Taken taken{{1}, {}, 1};
  const std::vector<double> outputs{0.4};
  EXPECT_EQ(decide(taken.form, taken.outputs, outputs)[0].predicted, 1);
  taken.form.outputs = OutputKind::probability;
  taken.form.threshold = 0.5;
  EXPECT_EQ(decide(taken.form, taken.outputs, outputs)[0].predicted, 0);
  EXPECT_DOUBLE_EQ(decide(taken.form, taken.outputs, outputs)[0].probability, 0.6);
  // Of a logit the threshold is the probability's: sigmoid(0.4) = 0.5987.
  taken.form.outputs = OutputKind::logit;
  EXPECT_EQ(decide(taken.form, taken.outputs, outputs)[0].predicted, 1);
  EXPECT_NEAR(decide(taken.form, taken.outputs, outputs)[0].probability, 0.5987, 1e-4);
  taken.form.threshold = 0.6;
  EXPECT_EQ(decide(taken.form, taken.outputs, outputs)[0].predicted, 0);
}

}  // namespace
}  // namespace velum::cli
