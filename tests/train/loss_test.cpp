#include "train/loss.h"

#include <gtest/gtest.h>

#include <cmath>

namespace velum::train {
namespace {

// Two classes, T = 2: the teacher's logits (2 ln 3, 0) soften to (3/4, 1/4), the student's (0, 0) to (1/2,
// 1/2). KL = 3/4 ln(3/2) + 1/4 ln(1/2); times T^2 = 4.
TEST(Distillation, EqualsTheHandComputedCase) {
  const auto student = torch::zeros({1, 2});
  const auto teacher = torch::tensor({{static_cast<float>(2 * std::log(3.0)), 0.0F}});
  const double expected = 4 * (0.75 * std::log(1.5) + 0.25 * std::log(0.5));
  EXPECT_NEAR(distillation_loss(student, teacher, 2).item<double>(), expected, 1e-6);
  // The mean over the batch: the second image's outputs agree, up to a constant that softmax ignores.
  const auto two = distillation_loss(torch::tensor({{0.0F, 0.0F}, {4.0F, 5.0F}}),
                                     torch::cat({teacher, torch::tensor({{7.0F, 8.0F}})}), 2);
  EXPECT_NEAR(two.item<double>(), expected / 2, 1e-6);
}

// T^2 d/dz KL = T (softmax(z / T) - softmax(t / T)).
TEST(Distillation, GradientIsTheDifferenceOfSoftenedOutputs) {
  auto student = torch::tensor({{0.5F, -1.0F, 2.0F}}).set_requires_grad(true);
  const auto teacher = torch::tensor({{1.0F, 0.0F, -1.0F}});
  distillation_loss(student, teacher, 3).backward();
  const auto expected = 3 * (torch::softmax(student.detach() / 3, 1) - torch::softmax(teacher / 3, 1));
  EXPECT_TRUE(torch::allclose(student.grad(), expected, 1e-5, 1e-6));
}

TEST(Features, DistanceIsRelativeToTheTeachersSize) {
  const auto student = torch::tensor({{1.0F, 3.0F}}), teacher = torch::tensor({{2.0F, 2.0F}});
  const auto other = torch::full({1, 3}, 5.0F);
  // First pair: mean difference 1, mean square 4. Second pair: equal.
  EXPECT_NEAR(feature_loss({student, other}, {teacher, other}).item<double>(), 0.5 * (1.0 / 4), 1e-7);
  EXPECT_EQ(feature_loss({}, {}).item<double>(), 0);
}

TEST(Smoothness, IsTheMeanSquaredDifferenceOfNeighbours) {
  const auto c = torch::tensor({{{0.0F, 1.0F}, {2.0F, 5.0F}}});  // one channel of 2x2
  const double rows = (2.0 * 2 + 4 * 4) / 2, columns = (1.0 + 3 * 3) / 2;
  EXPECT_NEAR(neighbour_difference(c).item<double>(), rows + columns, 1e-6);
  EXPECT_EQ(neighbour_difference(torch::ones({3})).item<double>(), 0);
}

TEST(ClassWeights, BalanceTheClasses) {
  const auto labels = torch::tensor({0, 0, 0, 1, 1, 2}, torch::kInt64);
  const auto w = balanced_class_weights(labels, 3);
  EXPECT_TRUE(torch::allclose(w, torch::tensor({6.0F / 9, 6.0F / 6, 6.0F / 3})));
}

}  // namespace
}  // namespace velum::train
