// Activations: gradients against finite differences, the least-squares start against its closed form, limits.
#include "train/activation.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "base/error.h"

namespace velum::train {
namespace {

using torch::Tensor;

// d/dt of sum(weight * y) + 3 * penalty at one entry of a tensor, by a central difference. The function is
// quadratic in x away from the penalty's kink and linear in a, b, c, so the difference is exact up to
// rounding.
double finite_difference(ActivationImpl& act, const Tensor& x, const Tensor& weight, const RangePull& pull,
                         Tensor tensor, std::int64_t entry) {
  torch::NoGradGuard no_grad;
  const auto value = [&] {
    const auto r = act.forward(x, pull);
    double v = (r.y * weight).sum(torch::kFloat64).item<double>();
    if (r.penalty.defined()) v += 3 * r.penalty.item<double>();
    return v;
  };
  float& t = tensor.data_ptr<float>()[entry];
  const float before = t;
  constexpr float h = 1.0F / 64;
  t = before + h;
  const double up = value();
  t = before - h;
  const double down = value();
  t = before;
  return (up - down) / (2.0 * static_cast<double>(h));
}

class Gradients : public testing::TestWithParam<std::string> {};

TEST_P(Gradients, MatchFiniteDifferences) {
  torch::manual_seed(3);
  const auto kind = parse_activation(GetParam());
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{3, 4, 2}, std::vector<std::int64_t>{7}})
    for (const auto& [pull, share] : {std::pair{RangePull{}, 1.0},
                                      {RangePull{1.25}, 1.0},
                                      {RangePull{1.25, 0, 0.7}, 1.0},
                                      {RangePull{1.25, 0.4, 2}, 0.3},
                                      {RangePull{}, 0.3},
                                      {RangePull{1.25}, 0.0}}) {
      ActivationImpl act(kind, shape);
      act.set_share(share);
      if (is_trainable(kind)) {
        torch::NoGradGuard no_grad;
        for (auto* t : {&act.a, &act.b, &act.c}) t->copy_(torch::randn(t->sizes()));
      }
      auto dims = shape;
      dims.insert(dims.begin(), 5);
      // Away from ReLU's kink at 0 and the penalty's at the limit.
      auto x = torch::randn(dims);
      x = torch::where(x.abs() < 0.05, x + 0.2, x);
      x = torch::where((x.abs() - 1.25).abs() < 0.05, x * 1.2, x);
      // One element of each image is the largest by far: which one it is has no derivative.
      x.flatten(1).select(1, 1).fill_(4);
      const auto weight = torch::randn(dims);
      auto input = x.clone().set_requires_grad(true);
      const auto r = act.forward(input, pull);
      auto loss = (r.y * weight).sum();
      EXPECT_EQ(r.penalty.defined(), pull && kind != ActivationKind::relu);
      if (r.penalty.defined()) loss = loss + 3 * r.penalty;
      loss.backward();
      const auto check = [&](const char* name, const Tensor& tensor, const Tensor& gradient) {
        for (std::int64_t i = 0; i < tensor.numel(); ++i) {
          const double expected = finite_difference(act, x, weight, pull, tensor, i);
          EXPECT_NEAR(gradient.reshape({-1})[i].item<double>(), expected, 2e-3 * (1 + std::abs(expected)))
              << name << "[" << i << "], limit " << pull.limit << ", peak " << pull.peak << ", share "
              << share;
        }
      };
      check("x", x, input.grad());
      if (is_trainable(kind)) {
        check("a", act.a, act.a.grad());
        check("b", act.b, act.b.grad());
        check("c", act.c, act.c.grad());
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Gradients, testing::Values("relu", "square", "layer", "channel", "element"));

TEST(Activation, ShareMixesTheQuadraticWithRelu) {
  ActivationImpl act(ActivationKind::layer, {3});
  act.set({0.5, 2, 1});
  act.set_share(0.25);
  const auto y = act.forward(torch::tensor({{-2.0F, 0.0F, 2.0F}})).y;
  EXPECT_TRUE(torch::allclose(y, torch::tensor({{0.25F * -1, 0.25F * 1, 0.25F * 7 + 0.75F * 2}})));
  act.set_share(0);
  const auto relu = act.forward(torch::tensor({{-2.0F, 0.0F, 2.0F}})).y;
  EXPECT_TRUE(torch::equal(relu, torch::tensor({{0.0F, 0.0F, 2.0F}})));
}

TEST(Activation, StartsAtTheFitTheIdentityOrTheFixedQuadratic) {
  const auto x = torch::randn({50, 4});
  const auto started = [&](Start how, const CoefficientLimits& limits) {
    ActivationImpl act(ActivationKind::channel, {4});
    act.start(how, x, limits);
    return std::array{act.a[0].item<double>(), act.b[0].item<double>(), act.c[0].item<double>()};
  };
  const auto fixed = started(Start::fixed, {});
  EXPECT_EQ(fixed, (std::array{0.125, 0.5, 0.25}));
  const auto identity = started(Start::identity, {.min_curvature = 0.02, .max_centre = 25});
  EXPECT_NEAR(identity[0], 0.02, 1e-8);  // as near to 0 as it may be
  EXPECT_NEAR(identity[1], 1, 1e-6);
  EXPECT_EQ(identity[2], 0);
  EXPECT_NE(started(Start::fit, {}), fixed);
  EXPECT_EQ(parse_start("identity"), Start::identity);
  EXPECT_EQ(parse_start("range"), Start::range);
  EXPECT_THROW(parse_start("zero"), Error);
}

TEST(Activation, PenaltyIsTheMeanSquaredExcess) {
  ActivationImpl act(ActivationKind::square, {2});
  const auto x = torch::tensor({{1.0F, -3.0F}, {2.5F, 0.0F}});
  EXPECT_NEAR(act.forward(x, {2}).penalty.item<double>(), (1.0 + 0.25) / 4, 1e-7);
}

TEST(Activation, PeakPenaltyCountsTheLargestOfEachImage) {
  ActivationImpl act(ActivationKind::square, {3});
  const auto x = torch::tensor({{1.0F, -3.0F, 2.5F}, {2.5F, 0.0F, 1.0F}, {0.0F, 1.0F, 2.0F}});
  const RangePull pull{.limit = 2, .mean = 0, .peak = 6};
  EXPECT_NEAR(act.forward(x, pull).penalty.item<double>(), 6 * (1.0 + 0.25) / 3, 1e-6);
  EXPECT_FALSE(act.forward(x, {.limit = 2, .mean = 0}).penalty.defined());
}

TEST(Activation, ResultDoesNotDependOnTheNumberOfThreads) {
  torch::manual_seed(5);
  const auto x = torch::randn({9, 4, 31, 17});
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    ActivationImpl act(ActivationKind::element, {4, 31, 17});
    const auto r = act.forward(x, {.limit = 1, .mean = 1, .peak = 1});
    (r.y.sum() + r.penalty).backward();
    return std::vector<Tensor>{r.y, r.penalty, act.a.grad(), act.b.grad(), act.c.grad()};
  };
  const auto one = run(1), two = run(2);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(torch::equal(one[i], two[i])) << i;
}

// On [-r, r] with equal weight, relu(x) = x/2 + |x|/2 and |x| ~ 3r/16 + 15/(16 r) x^2.
TEST(Fit, EqualsTheClosedFormOnAnInterval) {
  for (const double r : {0.5, 1.0, 6.0}) {
    ReluMoments m;
    constexpr int n = 200000;
    for (int i = 0; i < n; ++i) m.add(r * (2 * (i + 0.5) / n - 1));
    const auto fit = fit_relu(m);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->a, 15 / (32 * r), 1e-6 / r);
    EXPECT_NEAR(fit->b, 0.5, 1e-9);
    EXPECT_NEAR(fit->c, 3 * r / 32, 1e-6 * r);
  }
}

TEST(Fit, EqualsTheClosedFormForNormalInputs) {
  // Gaussian weights on a fine grid instead of samples: the moments are then exact to many digits.
  ReluMoments m;
  for (int i = -80000; i <= 80000; ++i) {
    const double x = i * 1e-4, w = std::exp(-x * x / 2);
    ReluMoments one;
    one.add(x);
    for (auto& v : one.power) v *= w;
    for (auto& v : one.target) v *= w;
    m += one;
  }
  const auto fit = fit_relu(m);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->a, kNormalFit.a, 1e-6);
  EXPECT_NEAR(fit->b, kNormalFit.b, 1e-6);
  EXPECT_NEAR(fit->c, kNormalFit.c, 1e-6);
}

TEST(Fit, RefusesSamplesThatDetermineNothing) {
  EXPECT_FALSE(fit_relu(std::vector<float>{}));
  EXPECT_FALSE(fit_relu(std::vector<float>(100, 0.0F)));
  EXPECT_FALSE(fit_relu(std::vector<float>(100, 1.5F)));
  EXPECT_FALSE(fit_relu(std::vector<float>{-1, 1, -1, 1, -1, 1}));
  EXPECT_TRUE(fit_relu(std::vector<float>{-1, 0.5, 1, -1, 0.5, 1}));
}

TEST(Fit, WithAGivenCurvatureIsTheBestLine) {
  ReluMoments m;
  for (int i = 0; i < 4000; ++i) m.add(3 * std::sin(0.37 * i) + 0.5);
  const auto free = fit_relu(m), same = fit_relu_with(free->a, m);
  ASSERT_TRUE(same);
  EXPECT_NEAR(same->b, free->b, 1e-9);
  EXPECT_NEAR(same->c, free->c, 1e-9);
  // Any other line is worse: compare the sums of squares, less what does not depend on the line.
  const auto loss = [&](const QuadraticCoefficients& q) {
    const auto& [s0, s1, s2, s3, s4] = m.power;
    const auto& [t0, t1, t2] = m.target;
    return q.b * q.b * s2 + q.c * q.c * s0 + 2 * (q.a * q.b * s3 + q.a * q.c * s2 + q.b * q.c * s1) -
           2 * (q.b * t1 + q.c * t0);
  };
  const auto flat = *fit_relu_with(0.01, m);
  for (const auto& [db, dc] : {std::pair{1e-3, 0.0}, {-1e-3, 0.0}, {0.0, 1e-3}, {0.0, -1e-3}})
    EXPECT_GT(loss({flat.a, flat.b + db, flat.c + dc}), loss(flat));
  EXPECT_FALSE(fit_relu_with(0.1, ReluMoments{}));
  ReluMoments constant;
  for (int i = 0; i < 10; ++i) constant.add(1.5);
  EXPECT_FALSE(fit_relu_with(0.1, constant));
}

TEST(Activation, StartOnTheRangeKeepsTheLargestInputsFromGrowing) {
  torch::manual_seed(2);
  auto x = torch::randn({200, 3, 4, 4});
  x[7][1][2][3] = 40;  // one outlier, in channel 1
  auto elsewhere = x.clone();
  elsewhere[7][1][0][0] = 40;
  const CoefficientLimits limits{.min_curvature = 1e-4, .max_centre = 1e4};
  for (const auto kind : {ActivationKind::layer, ActivationKind::channel, ActivationKind::element}) {
    ActivationImpl act(kind, {3, 4, 4});
    act.start(Start::fit, x, limits);
    // An element fitted to the many that it saw makes ten times as much of an outlier that others saw.
    const double grown = act.forward(elsewhere).y.abs().max().item<double>();
    EXPECT_EQ(grown > 200, kind == ActivationKind::element) << to_string(kind) << ' ' << grown;
    act.start(Start::range, x, limits);
    EXPECT_LE(act.forward(elsewhere).y.abs().max().item<double>(), 41) << to_string(kind);
    const auto y = act.forward(x).y;
    // Where the many are, the mean stays ReLU's.
    EXPECT_NEAR(y.mean().item<double>(), torch::relu(x).mean().item<double>(), 0.01) << to_string(kind);
    if (kind != ActivationKind::channel) continue;
    EXPECT_NEAR(act.a[1].item<double>(), range_curvature(kRangeReach * 40), 1e-6);
    EXPECT_GT(act.a[0].item<double>(), 5 * act.a[1].item<double>());  // other channels keep their own range
  }
}

TEST(Activation, FitsEachUnitToItsOwnInputs) {
  torch::manual_seed(1);
  // Channel 0 sees [-2, 2], channel 1 [-4, 4], channel 2 a constant.
  auto x = (torch::rand({4000, 3, 1, 2}) * 2 - 1) * torch::tensor({2.0F, 4.0F, 0.0F}).reshape({1, 3, 1, 1});
  for (const auto kind : {ActivationKind::channel, ActivationKind::element}) {
    ActivationImpl act(kind, {3, 1, 2});
    act.fit(x, {.min_curvature = 1e-3, .max_centre = 1e3});
    const auto a = act.a.detach().reshape({3, -1}), b = act.b.detach().reshape({3, -1});
    for (std::int64_t i = 0; i < a.size(1); ++i) {
      EXPECT_NEAR(a[0][i].item<double>(), 15.0 / 64, 0.01);
      EXPECT_NEAR(a[1][i].item<double>(), 15.0 / 128, 0.005);
      EXPECT_NEAR(a[2][i].item<double>(), kNormalFit.a, 1e-6);
      EXPECT_NEAR(b[0][i].item<double>(), 0.5, 0.02);
    }
  }
}

TEST(Activation, ProjectionKeepsCurvatureAndCentreWithinLimits) {
  ActivationImpl act(ActivationKind::element, {4});
  {
    torch::NoGradGuard no_grad;
    act.a.copy_(torch::tensor({1e-5F, -1e-5F, 0.5F, 0.0F}));
    act.b.copy_(torch::tensor({5.0F, -5.0F, 1.0F, 0.01F}));
  }
  act.project({.min_curvature = 0.02, .max_centre = 4});
  const auto near = [](const Tensor& t, std::vector<float> expected) {
    return torch::allclose(t.detach(), torch::tensor(at::ArrayRef<float>(expected)), 1e-5, 1e-7);
  };
  EXPECT_TRUE(near(act.a, {0.02F, -0.02F, 0.5F, 0.02F})) << act.a;
  EXPECT_TRUE(near(act.b, {0.16F, -0.16F, 1.0F, 0.01F})) << act.b;
}

TEST(Activation, UnknownNameIsRefusedWithTheNamesThereAre) {
  try {
    parse_activation("swish");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    EXPECT_NE(std::string(e.what()).find("element"), std::string::npos);
  }
}

}  // namespace
}  // namespace velum::train
