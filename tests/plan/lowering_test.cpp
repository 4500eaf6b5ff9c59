// Every layer kind, planned and run on plain numbers with the plan's integer weights, against the clear
// network.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plan/faithful.h"
#include "plan/networks.h"

namespace velum::plan::testing {
namespace {

TEST(Lowering, MnistNetwork) {
  const auto g = mnist_network();
  const auto result = make_plan(g, fixed_request());
  NetworkBuilder b({1, 28, 28}, 5);
  const auto& out = result.plan.values[result.plan.output_value];
  EXPECT_LE(worst_difference(b, g, result.plan), 8 * out.error_rms / out.bound);
}

TEST(Lowering, AffineNetworkAlone) {
  NetworkBuilder b({3, 5, 4}, 2);
  b.convolution(4, 3, 1, 1).flatten().dense(7);
  expect_faithful(b);
}

// Rows that mix elements, move one, repeat one, and one that is a number alone.
TEST(Lowering, AnyOtherAffineMap) {
  NetworkBuilder b({2, 3, 3}, 12);
  b.convolution(3, 3, 1, 1).quadratic();
  model::Linear l;
  l.shape = {2, 2, 2};
  l.row_begin = {0, 3, 4, 5, 5, 7, 8, 10, 11};
  l.columns = {0, 9, 18, 26, 26, 3, 4, 0, 7, 8, 1};
  l.weights = {0.5F, -1, 0.25F, 1, 1, 2, -2, 1, 0.1F, 0.9F, -0.5F};
  l.bias = {0, 0, 0.25F, 0.75F, 0, 0, -1, 0};
  b.add(l).quadratic();
  l = {};
  l.shape = {4};
  l.row_begin = {0, 1, 2, 3, 4};
  l.columns = {7, 5, 3, 1};  // weights of 1
  b.add(l).dense(3);
  expect_faithful(b);
}

TEST(Lowering, QuadraticOfTheInput) {
  NetworkBuilder b({2, 3, 3}, 3);
  b.varied_quadratic().flatten().dense(4);
  expect_faithful(b);
}

TEST(Lowering, StridedAsymmetricConvolution) {
  NetworkBuilder b({3, 9, 7}, 4);
  model::Convolution c;
  c.outputs = 5;
  c.kernel_h = 2, c.kernel_w = 3;
  c.stride_h = 2, c.stride_w = 1;
  c.pad_top = 1, c.pad_right = 2;
  c.weights = b.normal(5 * 3 * 6, 0.2);
  c.bias = b.normal(5, 0.1);
  b.add(c).varied_quadratic().convolution(3, 3, 2, 1).quadratic().flatten().dense(3);
  expect_faithful(b);
}

TEST(Lowering, GroupsAndDilation) {
  NetworkBuilder b({4, 8, 8}, 5);
  b.convolution(8, 3, 1, 1, 4).quadratic().convolution(6, 3, 1, 2, 2, 2).quadratic().flatten().dense(5);
  expect_faithful(b);
}

TEST(Lowering, DepthwiseThenPointwise) {
  NetworkBuilder b({3, 6, 6}, 6);
  b.convolution(3, 3, 1, 1, 3).convolution(8, 1).varied_quadratic().flatten().dense(4);
  expect_faithful(b);
}

TEST(Lowering, BatchNormAndPools) {
  NetworkBuilder b({2, 9, 9}, 7);
  b.convolution(6, 3, 1, 1);
  b.add(model::ScaleShift{{{6, 1, 1}, b.normal(6, 0.2, 1)}, {{6, 1, 1}, b.normal(6, 0.2)}}).quadratic();
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = 3;
  pool.stride_h = pool.stride_w = 2;
  pool.pad_top = pool.pad_left = 1;
  b.add(pool).convolution(4, 3).quadratic();
  b.add(model::GlobalAveragePool{}).flatten().dense(3);
  expect_faithful(b);
}

TEST(Lowering, PoolsCountTheirPaddingOrNot) {
  for (const bool include : {false, true}) {
    NetworkBuilder b({2, 7, 7}, 8);
    model::AveragePool pool;
    pool.kernel_h = pool.kernel_w = 3;
    pool.stride_h = pool.stride_w = 2;
    pool.pad_top = pool.pad_left = pool.pad_bottom = pool.pad_right = 1;
    pool.count_include_pad = include;
    b.add(pool).quadratic().flatten().dense(3);
    expect_faithful(b);
  }
}

bool has_sums(const ServerPlan& plan) {
  return std::any_of(plan.values.begin(), plan.values.end(),
                     [](const auto& v) { return v.name.ends_with(".sum"); });
}

TEST(Lowering, PooledSquaresAreKeptAsSums) {
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  for (const bool varied : {false, true}) {
    NetworkBuilder b({2, 8, 8}, 20);
    b.convolution(6, 3, 1, 1);
    if (varied)
      b.varied_quadratic(0.1, 0.1);
    else
      b.quadratic(-0.2f, 0.3f);
    b.add(pool).convolution(24, 3, 1, 1).quadratic().add(model::GlobalAveragePool{}).flatten().dense(4);
    EXPECT_TRUE(has_sums(make_plan(b.finish(), fixed_request()).plan));
    expect_faithful(b);
  }
}

TEST(Lowering, SumsCarryPlainElementsBesideTheirSquares) {
  NetworkBuilder b({2, 8, 8}, 21);
  b.convolution(6, 3, 1, 1);
  const auto s = b.shape();
  auto a = b.normal(static_cast<std::size_t>(model::element_count(s)), 0.02, 0.1);
  for (std::size_t i = 0; i < a.size(); i += 5) a[i] = 0;
  for (std::size_t i = 1; i < a.size(); i += 5) a[i] *= i % 2 ? 1e-3f : 0.1f;
  b.add(model::Quadratic{{s, a}, {{}, {0.4f}}, {{}, {0.2f}}});
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = 3;
  pool.stride_h = pool.stride_w = 2;
  pool.pad_top = pool.pad_left = 1;
  b.add(pool).convolution(40, 3, 1, 1).quadratic().flatten().dense(4);
  const auto result = make_plan(b.finish(), fixed_request());
  EXPECT_TRUE(has_sums(result.plan)) << explain_text(result);
  expect_faithful(b);
}

TEST(Lowering, PadAndTranspose) {
  NetworkBuilder b({2, 4, 5}, 9);
  b.add(model::Pad{1, 0, 2, 1}).convolution(3, 3).quadratic();
  b.add(model::Transpose{{1, 2, 0}}).flatten().dense(4).quadratic().dense(2);
  expect_faithful(b);
}

TEST(Lowering, ResidualAfterActivation) {
  NetworkBuilder b({3, 6, 6}, 10);
  b.convolution(4, 3, 1, 1).quadratic();
  const auto skip = b.tensor();
  b.convolution(4, 3, 1, 1).varied_quadratic().convolution(4, 3, 1, 1);
  b.add(model::Combine{{1, 1}}, {b.tensor(), skip}).quadratic().flatten().dense(5);
  expect_faithful(b);
}

TEST(Lowering, ResidualBeforeActivation) {
  NetworkBuilder b({3, 6, 6}, 11);
  b.convolution(4, 3, 1, 1);
  for (int block = 0; block < 2; ++block) {
    const auto skip = b.tensor();
    b.varied_quadratic().convolution(4, 3, 1, 1);
    b.add(model::Combine{{1, -0.5}}, {b.tensor(), skip});
  }
  b.quadratic().flatten().dense(3);
  expect_faithful(b);
}

TEST(Lowering, ConcatOfBranchesOfDifferentDepth) {
  NetworkBuilder b({2, 6, 6}, 12);
  b.convolution(4, 3, 1, 1).quadratic();
  const auto shallow = b.tensor();
  b.convolution(3, 3, 1, 1).quadratic();
  const auto deep = b.tensor();
  b.at("input").convolution(2, 1);
  const auto plain = b.tensor();
  b.add(model::Concat{}, {shallow, deep, plain}).convolution(5, 3).quadratic().flatten().dense(3);
  expect_faithful(b);
}

TEST(Lowering, ProductOfBranches) {
  NetworkBuilder b({2, 5, 5}, 13);
  b.convolution(4, 3, 1, 1);
  const auto u = b.tensor();
  b.quadratic().convolution(4, 1);
  b.add(model::Multiply{}, {u, b.tensor()}).flatten().dense(6).quadratic().dense(3);
  expect_faithful(b);
}

TEST(Lowering, TinyAndZeroSquareCoefficients) {
  NetworkBuilder b({1, 6, 6}, 14);
  b.convolution(4, 3, 1, 1);
  const auto s = b.shape();
  auto a = b.normal(static_cast<std::size_t>(model::element_count(s)), 0.2);
  for (std::size_t i = 0; i < a.size(); i += 3) a[i] = 0;
  for (std::size_t i = 1; i < a.size(); i += 3) a[i] *= 1e-3f;
  b.add(model::Quadratic{{s, a}, {{}, {0.7f}}, {{}, {-0.2f}}})
      .flatten()
      .dense(8)
      .quadratic(1e-4f, 1.0f)
      .dense(4);
  expect_faithful(b);
}

TEST(Lowering, LinearQuadraticIsNoSquare) {
  NetworkBuilder b({4}, 15);
  b.dense(5).quadratic(0, 2, 1).dense(3);
  const auto plan = make_plan(b.finish(), fixed_request()).plan;
  EXPECT_EQ(plan.steps.size(), 1u);
  EXPECT_EQ(plan.client.output_polys, 2);
  EXPECT_EQ(plan.client.keys.relinearise_limbs, 0u);
  expect_faithful(b);
}

TEST(Lowering, TwoActivationsOfOneTensor) {
  NetworkBuilder b({3}, 16);
  b.dense(6);
  const auto x = b.tensor();
  b.quadratic(0.3f, 0.4f);
  const auto y = b.tensor();
  b.at(x).quadratic(-0.2f, 0.9f, 1.0f);
  b.add(model::Combine{{1, 1}}, {y, b.tensor()}).dense(3);
  expect_faithful(b);
}

TEST(Lowering, WideningNetworkRelinearisesFirst) {
  NetworkBuilder b({6}, 17);
  b.dense(3).quadratic().dense(60).quadratic().dense(4);
  const auto g = b.finish();
  const auto plan = make_plan(g, fixed_request()).plan;
  EXPECT_TRUE(std::any_of(plan.steps.begin(), plan.steps.end(), [](const auto& s) {
    return s.kind == velum::plan::StepKind::squares;
  })) << to_text(plan);
  expect_faithful(b);
}

TEST(Lowering, DeepNetwork) {
  NetworkBuilder b({8}, 18);
  for (int i = 0; i < 8; ++i) b.dense(12).quadratic(0.1f, 1.0f);
  b.dense(4);
  expect_faithful(b);
}

TEST(Lowering, HighPrecisionRescalesTheFirstLayer) {
  NetworkBuilder b({8}, 22);
  for (int i = 0; i < 3; ++i) b.dense(12).quadratic(0.1f, 0.5f);
  b.dense(4);
  auto r = fixed_request();
  r.precision_bits = 12.5;
  const auto plan = make_plan(b.finish(), r).plan;
  EXPECT_EQ(plan.steps.front().finish, Finish::rescale) << to_text(plan);
  EXPECT_GT(plan.steps.front().sources[0].lift, 1u);
  expect_faithful(b, r);
}

TEST(Lowering, UnusedElementsAreLeftOut) {
  NetworkBuilder b({1, 5, 5}, 19);
  b.convolution(2, 1).quadratic().convolution(2, 1, 2).quadratic().flatten().dense(2);
  const auto plan = make_plan(b.finish(), fixed_request()).plan;
  EXPECT_EQ(plan.values[1].elements, 2u * 9u);  // every other row and column
  EXPECT_EQ(plan.values[0].elements, 9u) << "pixels that nothing reads are not sent";
  EXPECT_EQ(plan.client.input_order, (Layout{0, 2, 4, 10, 12, 14, 20, 22, 24}));
  expect_faithful(b);
}

// The result's two polynomials of one modulus, in place of three of two.
TEST(Lowering, ResultsAreSmall) {
  NetworkBuilder b({8}, 23);
  for (int i = 0; i < 2; ++i) b.dense(24).quadratic(0.1f, 0.5f);
  b.dense(4);
  const auto small = make_plan(b.finish(), fixed_request()).plan;
  EXPECT_EQ(small.steps.back().finish, Finish::relinearise_rescale);
  EXPECT_EQ(small.client.output_polys, 2);
  EXPECT_EQ(small.client.output_limbs, 1u);
  EXPECT_LT(small.client.params.moduli[0], std::uint64_t{1} << 32) << "32 bits a value at most";
  expect_faithful(b);
}

// The rounding of one more division would be seen in many bits; and many outputs would take more key switches
// than the rest of the network.
TEST(Lowering, ResultsAreNotSmallAtAnyPrice) {
  NetworkBuilder wide({8}, 26);
  for (int i = 0; i < 2; ++i) wide.dense(12).quadratic(0.1f, 0.5f);
  wide.dense(64);
  EXPECT_EQ(make_plan(wide.finish(), fixed_request()).plan.client.output_polys, 3);

  NetworkBuilder mild({8}, 27);
  mild.quadratic(0.1f, 0.5f).quadratic(0.1f, 0.5f);
  auto precise = fixed_request();
  precise.precision_bits = 14;
  precise.min_log_n = 15;  // where a division's rounding is largest
  const auto plan = make_plan(mild.finish(), precise).plan;
  EXPECT_EQ(plan.client.output_polys, 3) << to_text(plan);
}

// One square needs no key, and gets one where the ring has room for it.
TEST(Lowering, SmallResultsCostNoLargerRing) {
  NetworkBuilder b({16}, 24);
  b.dense(64).quadratic(0.1f, 0.5f).dense(4);
  const auto g = b.finish();
  auto r = fixed_request();
  const auto plan = make_plan(g, r).plan;
  EXPECT_EQ(plan.client.params.n, 4096u);
  const bool small = plan.client.output_polys == 2;
  EXPECT_EQ(small, !plan.client.keys.empty());
  EXPECT_EQ(plan.client.output_limbs, small ? 1u : 2u);
  expect_faithful(b);
}

// Where they are asked for, they may cost time and a key, but no larger ring.
TEST(Lowering, SmallResultsAreMadeWhereTheyAreAskedFor) {
  NetworkBuilder b({16}, 24);
  b.dense(8).quadratic(0.1f, 0.5f).dense(64);  // many outputs to switch, little else to do
  const auto g = b.finish();
  auto r = fixed_request();
  const auto plan = make_plan(g, r).plan;
  ASSERT_EQ(plan.client.output_polys, 3) << "they are small by themselves: the test shows nothing";
  r.small_results = true;
  const auto small = make_plan(g, r).plan;
  EXPECT_EQ(small.client.output_polys, 2);
  EXPECT_EQ(small.client.output_limbs, 1u);
  EXPECT_EQ(small.client.params.n, plan.client.params.n);
  EXPECT_FALSE(small.client.keys.empty());
}

}  // namespace
}  // namespace velum::plan::testing
