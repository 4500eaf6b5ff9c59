// Pairs of inputs, runs of weights, completed squares: the small passes alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "plan/choose/quantise.h"
#include "plan/layout/pack.h"
#include "plan/lower/composition.h"
#include "plan/lower/fold.h"
#include "plan/networks.h"

namespace velum::plan::testing {
namespace {

double lanes_per_term(const model::Graph& g, std::size_t stage) {
  const auto network = lower(g);
  const auto packed = pack(network, stage);
  std::uint64_t terms = 0;
  for (const auto& s : packed.sources) terms += s.terms;
  return static_cast<double>(packed.lanes) / static_cast<double>(terms);
}

TEST(Pairing, DenseLayersWasteNothing) {
  NetworkBuilder b({10}, 71);
  b.dense(7);
  EXPECT_DOUBLE_EQ(lanes_per_term(b.graph, 0), 1);
}

TEST(Pairing, EvenChannelsWasteNothing) {
  NetworkBuilder b({4, 9, 9}, 72);
  b.convolution(5, 3, 1, 1);
  EXPECT_DOUBLE_EQ(lanes_per_term(b.graph, 0), 1);
}

TEST(Pairing, TheOddChannelPairsAlongTheRow) {
  NetworkBuilder b({3, 9, 9}, 73);
  b.convolution(5, 3);
  EXPECT_LE(lanes_per_term(b.graph, 0), 30.0 / 27 + 0.01);  // 5 pairs for 9 inputs of a kernel row
}

TEST(Pairing, SingleChannelWithStride) {
  NetworkBuilder b({1, 28, 28}, 74);
  b.convolution(5, 5, 2);
  EXPECT_LE(lanes_per_term(b.graph, 0), 1.21);  // 3 pairs for 5 inputs of a kernel row
}

TEST(Pairing, DepthwiseChannelsPairWithThemselves) {
  NetworkBuilder b({6, 8, 8}, 75);
  b.convolution(6, 4, 2, 0, 6);
  EXPECT_LE(lanes_per_term(b.graph, 0), 1.01);  // 2 pairs for 4 inputs of a kernel row, in the right phase
}

TEST(Pairing, EachInputOnce) {
  NetworkBuilder b({3, 7, 5}, 76);
  b.convolution(4, 3, 2, 1);
  const auto network = lower(b.graph);
  const auto p = pack(network, 0);
  std::vector<int> seen(p.inputs.size(), 0);
  for (const auto& pair : p.pairs) {
    ++seen[pair.first];
    if (pair.second != kAbsent) ++seen[pair.second];
  }
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int s) { return s == 1; }));
}

// Counted beside composed: the network lowered with its pools composed has as many weights.
TEST(Composition, CountsTheWeightsThatComposingWouldMake) {
  for (const std::int64_t kernel : {2, 3}) {
    NetworkBuilder b({2, 16, 16}, 77);
    model::AveragePool pool;
    pool.kernel_h = pool.kernel_w = kernel;
    pool.stride_h = pool.stride_w = 2;
    b.convolution(3, 3).varied_quadratic().add(pool);
    b.convolution(8, 3, 1, 1).varied_quadratic().add(pool).flatten().dense(4);
    const auto g = b.finish();
    const auto kept = count_weights(lower(g, Pools::sums)), composed = count_weights(lower(g));
    EXPECT_EQ(composed.kept, composed.composed);  // nothing left to compose
    EXPECT_EQ(kept.composed, composed.kept) << kernel;
    EXPECT_LT(kept.kept, kept.composed) << kernel;
  }
}

TEST(Runs, LongestWithinTheLimit) {
  // One row, ten pairs of 32767 + 1: a run may hold one such pair (65535 limits the sum), or two of half the
  // size.
  std::vector<std::int16_t> block;
  for (int p = 0; p < 10; ++p) block.insert(block.end(), {32767, 1});
  EXPECT_EQ(longest_run(block, 1, 10), 1u);
  for (auto& w : block) w = 3000;
  EXPECT_EQ(longest_run(block, 1, 10), 10u);
  for (auto& w : block) w = -8000;
  EXPECT_EQ(longest_run(block, 1, 10), 4u);  // 64000; three runs of 4, 4, 2
}

TEST(Fold, CompletesTheSquareWhereItIsWellConditioned) {
  const QuadraticCoefficients q{{0.5, 1e-3, 0, -0.25}, {1, 1, 2, 0}, {0.1, 0.2, 0.3, 0.4}};
  const auto f = fold(q, 2.0, nullptr);
  EXPECT_DOUBLE_EQ(f.shift[0], 1);
  EXPECT_DOUBLE_EQ(f.plain[0], 0);
  EXPECT_DOUBLE_EQ(f.shift[1], 0);  // beta would be 500 times the range
  EXPECT_DOUBLE_EQ(f.plain[1], 1);
  EXPECT_DOUBLE_EQ(f.square[2], 0);
  EXPECT_EQ(f.lifted, 2u);
  for (std::size_t i = 0; i < 4; ++i)
    for (const double x : {-2.0, -0.3, 0.0, 1.7}) {
      const double t = x + f.shift[i];
      EXPECT_NEAR(f.square[i] * t * t + f.plain[i] * t + f.constant[i], q.a[i] * x * x + q.b[i] * x + q.c[i],
                  1e-12);
    }
}

TEST(Fold, UsesAShiftThatIsAlreadyThere) {
  const QuadraticCoefficients q{{0.5, 0}, {1, 3}, {0.1, 0.2}};
  const std::vector<double> shift{0.7, -0.4};
  const auto f = fold(q, 2.0, &shift);
  for (std::size_t i = 0; i < 2; ++i)
    for (const double x : {-2.0, 0.5}) {
      const double t = x + shift[i];
      EXPECT_NEAR(f.square[i] * t * t + f.plain[i] * t + f.constant[i], q.a[i] * x * x + q.b[i] * x + q.c[i],
                  1e-12);
    }
}

TEST(Weights, EqualBlocksAreStoredOnce) {
  NetworkBuilder b({2, 12, 12}, 77);
  b.convolution(4, 3).quadratic().flatten().dense(2);
  const auto plan = make_plan(b.finish(), fixed_request()).plan;
  EXPECT_EQ(plan.steps[0].groups.size(), 100u);
  EXPECT_EQ(plan.steps[0].weights.size(), 4u * 18u);
}

}  // namespace
}  // namespace velum::plan::testing
