// What the planner refuses before anything runs: the message names the object and the remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "plan/networks.h"

namespace velum::plan::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal(const model::Graph& g, const Request& r = fixed_request()) {
  try {
    make_plan(g, r);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  ADD_FAILURE() << "was planned";
  return {};
}

model::Graph chain(int squares) {
  NetworkBuilder b({8}, 41);
  for (int i = 0; i < squares; ++i) b.dense(8).quadratic(0.1f, 0.2f);
  b.dense(4);
  return b.finish();
}

TEST(Refusal, NotPolynomial) {
  NetworkBuilder b({1, 4, 4}, 42);
  b.convolution(2, 3).add(model::Relu{}).flatten().dense(2);
  EXPECT_THAT(refusal(b.graph), HasSubstr("relu1"));
}

TEST(Refusal, MissingRange) {
  NetworkBuilder b({4}, 43);
  b.dense(4);
  const auto x = b.tensor();
  b.quadratic().dense(2);
  auto g = b.finish();
  g.ranges.erase(x);
  EXPECT_THAT(refusal(g),
              AllOf(HasSubstr("'" + x + "'"), HasSubstr("--calibrate DATASET"), HasSubstr("quadratic1")));
}

TEST(Refusal, RangeThatIsNoNumber) {
  NetworkBuilder b({4}, 44);
  b.dense(4);
  const auto x = b.tensor();
  b.quadratic().dense(2);
  auto g = b.finish();
  g.ranges[x].high = std::numeric_limits<double>::infinity();
  EXPECT_THAT(refusal(g), HasSubstr("inf"));
}

TEST(Refusal, TooDeep) {
  auto r = fixed_request();
  r.max_log_n = 13;
  EXPECT_THAT(refusal(chain(12), r),
              AllOf(HasSubstr("too deep"), HasSubstr("12 squares"), HasSubstr("N = 8192")));
}

TEST(Refusal, OverTheMemory) {
  auto r = fixed_request();
  r.memory_bytes = 100u << 20;
  EXPECT_THAT(refusal(mnist_network(), r), AllOf(HasSubstr("104.9 MB"), HasSubstr("is available")));
}

// Before memory is taken for every element.
TEST(Refusal, LargerThanAnyMachine) {
  NetworkBuilder wide({1, 8, 8}, 3);
  model::Convolution c;
  c.outputs = 1, c.kernel_h = c.kernel_w = 3;
  c.pad_top = c.pad_bottom = c.pad_left = c.pad_right = 1000;
  c.weights.assign(9, 1.0f);
  wide.add(c);
  EXPECT_THAT(refusal(wide.finish()), AllOf(HasSubstr("1x2006x2006"), HasSubstr("less padding")));
  // Below any limit on elements, and as senseless.
  NetworkBuilder padded({1, 8, 8}, 3);
  c.pad_top = c.pad_bottom = c.pad_left = c.pad_right = 900;
  padded.add(c);
  EXPECT_THAT(refusal(padded.finish()), AllOf(HasSubstr("pads 900 and 900"), HasSubstr("lower the padding")));
  for (const std::int64_t extent : {1200, 1000}) {
    NetworkBuilder large({1, extent, extent}, 3);
    large.convolution(1, 3, 500);
    EXPECT_THAT(refusal(large.finish()), AllOf(HasSubstr("input is 1x"), HasSubstr("smaller images")));
  }
}

TEST(Refusal, NetworksThatTakeTheMemoryToPlan) {
  NetworkBuilder b({1, 200, 200}, 3);
  b.convolution(8, 3, 1, 1).quadratic();
  auto r = fixed_request();
  r.memory_bytes = std::uint64_t{100} << 20;
  EXPECT_THAT(refusal(b.finish(), r),
              AllOf(HasSubstr("planning 680000 elements"), HasSubstr("104.9 MB are available")));
}

// Told at once, not after the layers before it are planned.
TEST(Refusal, RangesAreLookedForFirst) {
  NetworkBuilder b({1, 8, 8}, 3);
  b.convolution(2, 3, 1, 1).quadratic();
  auto graph = b.finish();
  std::get<model::Convolution>(graph.nodes[0].op).weights[0] = std::numeric_limits<float>::quiet_NaN();
  graph.ranges.clear();
  EXPECT_THAT(refusal(graph), HasSubstr("has no recorded range"));
}

TEST(Refusal, UnderThePrecision) {
  auto r = fixed_request();
  r.precision_bits = 40;
  EXPECT_THAT(refusal(mnist_network(), r),
              AllOf(HasSubstr("of 40.0 wanted"), HasSubstr("most error comes from")));
}

TEST(Refusal, ConstantNetwork) {
  NetworkBuilder b({1, 2, 2}, 45);
  model::Convolution c;
  c.outputs = 1, c.kernel_h = c.kernel_w = 1;
  c.pad_top = c.pad_bottom = 3;
  c.stride_h = 8;
  c.weights = {1.0f};
  b.add(c);  // sees padding only
  EXPECT_THAT(refusal(b.graph), HasSubstr("does not depend on the input"));
}

TEST(Refusal, WeightsThatAreNoNumbers) {
  NetworkBuilder b({3}, 46);
  b.dense(2);
  std::get<model::Dense>(b.graph.nodes[0].op).weights[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal(b.graph), AllOf(HasSubstr("dense0"), HasSubstr("not a finite number")));
}

TEST(Refusal, ImpossibleRequest) {
  auto r = fixed_request();
  r.blocks = 3;
  EXPECT_THAT(refusal(chain(1), r), HasSubstr("3 blocks were asked for"));
  r = fixed_request();
  r.min_log_n = 14, r.max_log_n = 13;
  EXPECT_THAT(refusal(chain(1), r), HasSubstr("2^14 to 2^13"));
}

TEST(Planning, LargeBatchesAreNoted) {
  auto r = fixed_request();
  r.batch = 10000;
  const auto result = make_plan(mnist_network(), r);
  ASSERT_FALSE(result.notes.empty());
  EXPECT_THAT(result.notes.back(), HasSubstr("2 batches"));
}

TEST(Planning, StaysWithinTheSecurityTable) {
  for (const auto security : {ckks::Security::bits128, ckks::Security::bits192, ckks::Security::bits256})
    for (const int squares : {0, 1, 2, 4, 7, 11}) {
      auto r = fixed_request();
      r.security = security;
      const auto plan = make_plan(chain(squares), r).plan;
      const ckks::Parameters params(plan.client.params);
      EXPECT_LE(params.log2_qp(), ckks::max_log2_qp(params.n(), security));
      EXPECT_EQ(plan.client.params.security, security);
      EXPECT_EQ(plan.client.params.special.empty(), squares <= 1);
    }
}

TEST(Planning, LongChainsFitTheLargestRing) {
  auto r = fixed_request();
  r.precision_bits = 6;
  const auto plan = make_plan(chain(30), r).plan;
  EXPECT_EQ(plan.client.params.n, 65536u);
  EXPECT_GT(plan.client.params.special.size(), 1u);
}

TEST(Planning, ForcedScalesAreObeyed) {
  auto r = fixed_request();
  r.precision_bits = 6;
  r.weight_bits = 9;
  r.input_bits = 21;
  r.scale_bits = 26;
  const auto plan = make_plan(mnist_network(), r).plan;
  EXPECT_NEAR(std::log2(plan.client.input_scale), 21, 1e-9);
  int largest = 0;
  for (const auto w : plan.steps[1].weights) largest = std::max(largest, std::abs(int{w}));
  EXPECT_EQ(largest, 255);
  const auto& v = plan.values[2];
  EXPECT_NEAR(std::log2(v.scale * v.bound), 26, 0.01);
}

TEST(Planning, TinyRingsForTests) {
  NetworkBuilder b({1, 4, 4}, 47);
  b.convolution(2, 3).quadratic().flatten().dense(4).quadratic().dense(2);
  auto r = fixed_request();
  r.security = ckks::Security::none;
  r.min_log_n = r.max_log_n = 8;
  const auto plan = make_plan(b.finish(), r).plan;
  EXPECT_EQ(plan.client.params.n, 256u);
}

TEST(Refusal, NegativePrecision) {
  auto r = fixed_request();
  r.precision_bits = -1;
  EXPECT_THAT(refusal(chain(1), r), HasSubstr("-1 bits was asked for"));
}

}  // namespace
}  // namespace velum::plan::testing
