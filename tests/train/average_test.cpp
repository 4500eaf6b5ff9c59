// The exponential average of weights, and weights rounded as the engine rounds them.
#include "train/average.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/rounding.h"

namespace velum::train {
namespace {

TEST(Average, FollowsItsDefinition) {
  std::vector<torch::Tensor> average{torch::tensor({1.0F}), torch::tensor({3}, torch::kInt64)};
  const std::vector<torch::Tensor> state{torch::tensor({2.0F}), torch::tensor({8}, torch::kInt64)};
  update_average(average, state, 0.9, 1000000);
  EXPECT_NEAR(average[0].item<float>(), 0.9 * 1 + 0.1 * 2, 1e-6);
  EXPECT_EQ(average[1].item<std::int64_t>(), 8);
  update_average(average, state, 0.9, 0);  // early: keeps a tenth
  EXPECT_NEAR(average[0].item<float>(), 0.1 * 1.1 + 0.9 * 2, 1e-6);
  EXPECT_TRUE(all_finite(average));
  average[0].fill_(std::nan(""));
  EXPECT_FALSE(all_finite(average));
}

TEST(Rounding, LargestFoldedWeightIsTheLargestInteger) {
  torch::manual_seed(1);
  const auto w = torch::randn({3, 4, 2, 2});
  const auto rows = torch::rand({3}) + 0.5, columns = torch::rand({4}) + 0.5;
  const auto folded = [&](const torch::Tensor& t) {
    return t * rows.reshape({3, 1, 1, 1}) * columns.reshape({1, 4, 1, 1});
  };
  constexpr int bits = 5;
  const auto got = rounded(w, rows, columns, bits);
  const double step = folded(w).abs().max().item<double>() / 15;
  const auto integers = folded(got) / step;
  EXPECT_TRUE(torch::allclose(integers, torch::round(integers), 0, 1e-4));
  EXPECT_NEAR(integers.abs().max().item<double>(), 15, 1e-4);
  EXPECT_LE((folded(got) - folded(w)).abs().max().item<double>(), 0.5001 * step);
}

TEST(Rounding, RealWeightsComeBack) {
  torch::manual_seed(2);
  Network net(build_network({.name = "lenet5", .input_shape = {1, 28, 28}, .classes = 3}));
  const auto before = copy_of(state_of(*net));
  RoundedWeights rounding(*net, 4);
  rounding.apply();
  EXPECT_FALSE(torch::equal(net->tensor("conv2", "weight"), before[0]));
  // Four bits, sign included: every weight of a column is one of fifteen multiples of the same step.
  const auto logits = net->tensor("logits", "weight");
  for (std::int64_t k = 0; k < logits.size(1); ++k)
    EXPECT_LE(std::get<0>(torch::_unique(logits.select(1, k))).numel(), 15);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i) changed += !torch::equal(state_of(*net)[i], before[i]);
  EXPECT_EQ(changed, 5u);  // two convolutions, three dense layers
  rounding.restore();
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(torch::equal(state_of(*net)[i], before[i]));
}

}  // namespace
}  // namespace velum::train
