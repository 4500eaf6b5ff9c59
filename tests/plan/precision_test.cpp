// The precision that the planner takes where none is asked for, and what it says of one that is too little.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <string>

#include "base/error.h"
#include "model/onnx.h"
#include "plan/choose/precision.h"
#include "plan/lower/network.h"
#include "plan/lower/ranges.h"
#include "plan/networks.h"

namespace velum::plan::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

double planned_precision(const ServerPlan& plan) {
  const auto& out = plan.values[plan.output_value];
  return -std::log2(out.error_rms / out.bound);
}

// One square; the outputs lie in the given range.
model::Graph network_with_outputs(const model::Range& range) {
  NetworkBuilder b({8}, 41);
  auto g = b.dense(8).quadratic(0.1f, 0.2f).dense(4).finish();
  g.ranges[g.output] = range;
  return g;
}

// What a user reads; empty where the network is planned.
std::string refusal_of(const model::Graph& graph, const Request& request) {
  try {
    make_plan(graph, request);
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

// The most bits that a refusal says are reached in any ring.
double most_reached(const std::string& refusal) {
  double most = 0;
  const std::regex reached("reaches ([0-9.]+) bits");
  for (std::sregex_iterator at(refusal.begin(), refusal.end(), reached), end; at != end; ++at)
    most = std::max(most, std::stod((*at)[1]));
  return most;
}

Request request_of(double bits) {
  auto r = fixed_request();
  r.precision_bits = bits;
  return r;
}

void expect_no_word(const PlanResult& result) {
  for (const auto& note : result.notes) EXPECT_THAT(note, Not(HasSubstr("--precision")));
}

TEST(Precision, TooLittleAskedForIsPlannedButNotWithoutAWord) {
  expect_no_word(make_plan(network_with_outputs({-10, 10, 2}), request_of(12)));
  const auto few = make_plan(network_with_outputs({-4096, 10, 2}), request_of(12));
  ASSERT_FALSE(few.notes.empty());
  EXPECT_THAT(few.notes.back(), AllOf(HasSubstr("typically 2"), HasSubstr("leave 1 of the latter"),
                                      HasSubstr("--precision 19")));
  const auto enough = make_plan(network_with_outputs({-4096, 10, 2}), request_of(19));
  EXPECT_GE(planned_precision(enough.plan), 19);
  expect_no_word(enough);
}

TEST(Precision, OwnLeavesTypicalOutputsTheirBits) {
  const auto usual = make_plan(network_with_outputs({-10, 10, 2}), request_of(0));
  EXPECT_GE(planned_precision(usual.plan), 12);
  expect_no_word(usual);
  const auto raised = make_plan(network_with_outputs({-4096, 10, 2}), request_of(0));
  EXPECT_GE(planned_precision(raised.plan), 19);  // 8 bits of 2 are 19 of 4096
  ASSERT_FALSE(raised.notes.empty());
  EXPECT_THAT(raised.notes.back(), AllOf(HasSubstr("19.0 bits"), HasSubstr("in place of 12"),
                                         HasSubstr("leave 8"), HasSubstr("--precision 12")));
  EXPECT_THAT(explain_text(raised), HasSubstr("of 19.0 asked"));
}

// One image in thousands decides the bound and the rms, the others are what matters.
TEST(Precision, OwnGoesByTheMiddleImageWhereItIsRecorded) {
  expect_no_word(make_plan(network_with_outputs({-4096, 10, 256}), request_of(0)));
  const auto raised = make_plan(network_with_outputs({-4096, 10, 256, 2}), request_of(0));
  EXPECT_GE(planned_precision(raised.plan), 19);
  ASSERT_FALSE(raised.notes.empty());
  EXPECT_THAT(raised.notes.back(), AllOf(HasSubstr("typically 2"), HasSubstr("19.0 bits")));
}

// A network of ours whose outputs reach millions on some images, and are a few units on the middle one.
TEST(Precision, ANetworkWithOutliersSaysWhatItsMiddleImageIsLike) {
  const auto graph = model::load_onnx(VELUM_SOURCE_DIR "/models/table/cifar10-scnn-element-kd-s1.onnx");
  const auto& range = graph.ranges.at(graph.output);
  EXPECT_GT(range.rms, 1e4);
  EXPECT_GT(range.typical, 1);
  EXPECT_LT(range.typical, 10);
  EXPECT_GT(own_precision(magnitude(range), typical_output(graph, lower(graph))), 29);
}

// A user who has not asked for more than usual learns that less may fit.
TEST(Precision, OwnNamesTheUsualOneWhereMemoryIsShort) {
  const auto refusal = [](double bits) {
    auto r = request_of(bits);
    r.memory_bytes = 1u << 20;
    return refusal_of(network_with_outputs({-4096, 10, 2}), r);
  };
  EXPECT_THAT(refusal(0), AllOf(HasSubstr("is available"), HasSubstr("or ask for --precision 12")));
  EXPECT_THAT(refusal(12), AllOf(HasSubstr("is available"), Not(HasSubstr("--precision"))));
}

// What cannot be reached is approached, and said.
TEST(Precision, OwnIsLoweredWhereNothingReachesIt) {
  const auto result =
      make_plan(network_with_outputs({-1e12, 1e12, 1e-3}), request_of(0));  // 8 bits of 10^-3: 58
  EXPECT_GT(planned_precision(result.plan), 12.5);
  EXPECT_LT(planned_precision(result.plan), 58);
  ASSERT_FALSE(result.notes.empty());
  EXPECT_THAT(result.notes.back(), HasSubstr("no parameters were found for more"));
}

// Close to what can be reached, and not merely by half of the way.
TEST(Precision, OwnIsLoweredNoFurtherThanItMustBe) {
  const auto graph = network_with_outputs({-1e12, 1e12, 1e-3});
  const double most = most_reached(refusal_of(graph, request_of(58)));
  ASSERT_GT(most, 13);
  EXPECT_GE(planned_precision(make_plan(graph, request_of(0)).plan), most - 1);
}

// Squares of one channel, with wide filters before them: most error comes from rounded weights.
model::Graph convolutions(int squares) {
  NetworkBuilder b({1, 16, 16}, 47);
  for (int i = 0; i < squares; ++i) b.convolution(2, 5, 1, 2).quadratic(0.1f, 0.2f);
  return b.flatten().dense(4).finish();
}

// Eight elements that read the same sum err alike, and a layer that adds them up adds the errors up: layer by
// layer they would seem to average out.
TEST(Precision, ErrorsThatAreAlikeAddUp) {
  NetworkBuilder b({8}, 49);
  auto graph = b.dense(8).quadratic(0.25f, 1.0f, 0.0f).dense(1).finish();
  for (auto& node : graph.nodes)
    if (auto* dense = std::get_if<model::Dense>(&node.op))
      std::fill(dense->weights.begin(), dense->weights.end(), 0.5f);
  const auto net = lower(graph);
  ASSERT_EQ(net.gains.independent.size(), 3u);
  EXPECT_DOUBLE_EQ(net.gains.independent[2], 1);
  // Of the squares' inputs t: out = 1/8 sum of t^2, whose slopes are t / 4.
  const double t = net.vectors[1].rms;
  EXPECT_NEAR(net.gains.independent[1], 8 * t * t / 16, 0.5 * 8 * t * t / 16);
  const double layer_by_layer =
      net.gains.independent[1] * 8 * 0.25;  // as if each of the eight erred by itself
  EXPECT_GT(net.gains.independent[0], 3 * layer_by_layer);
  EXPECT_EQ(lower(graph).gains.independent, net.gains.independent);
}

// A pool's bound is that of squares at the edges of their ranges: it takes more bits to keep what it is like.
TEST(Precision, PoolsHaveTheBitsThatTheirBoundHides) {
  NetworkBuilder b({1, 8, 8}, 50);
  b.convolution(4, 3, 1, 1).varied_quadratic();
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  const auto net =
      lower(b.add(pool).convolution(4, 3, 1, 1).quadratic().flatten().dense(2).finish(), Pools::values);
  ASSERT_EQ(net.vectors.size(), 5u);
  EXPECT_GT(net.vectors[2].extra_bits, 0.5);
  for (const std::size_t v : {0, 1, 3, 4}) EXPECT_EQ(net.vectors[v].extra_bits, 0);
}

// One row of weights far larger than all others: a weight of the others is left few of the 15 bits.
model::Graph uneven_network(double largest) {
  NetworkBuilder b({64}, 48);
  auto graph = b.dense(32).finish();
  auto& dense = std::get<model::Dense>(graph.nodes.front().op);
  for (std::size_t i = 0; i < 64; ++i) dense.weights[i] *= static_cast<float>(largest);
  graph.ranges[graph.output] = {-8, 8, 1};
  return graph;
}

// Where nobody asked, the best there is is planned, and said; who asks is refused, and told what to ask for.
TEST(Precision, TheBestThereIsWhereTheUsualCannotBeReached) {
  auto r = fixed_request();
  r.precision_bits = 0;
  const auto result = make_plan(uneven_network(128), r);
  EXPECT_LT(planned_precision(result.plan), kBoundBits);
  EXPECT_GT(planned_precision(result.plan), 9);
  ASSERT_FALSE(result.notes.empty());
  EXPECT_THAT(result.notes.back(), AllOf(HasSubstr("the best that can be reached, in place of 12"),
                                         HasSubstr("layer 'dense"), HasSubstr("15 bits at most")));
  EXPECT_THAT(refusal_of(uneven_network(128), request_of(kBoundBits)),
              AllOf(HasSubstr("15 bits at most"), HasSubstr("ask for --precision 1")));
}

TEST(Precision, FewerThanSixBitsOfATypicalOutputAreRefused) {
  auto graph = uneven_network(128);
  graph.ranges[graph.output] = {-8, 8, 0.05};
  auto r = fixed_request();
  r.precision_bits = 0;
  EXPECT_THAT(refusal_of(graph, r), HasSubstr("of a typical output: expected at least 6"));
}

// What a refusal says can be reached is reached when asked for, by whichever chain of moduli reaches more.
TEST(Precision, ARefusalNamesWhatCanBeReached) {
  for (const int squares : {1, 2, 3}) {
    const auto graph = convolutions(squares);
    const auto text = refusal_of(graph, request_of(40));
    const double most = most_reached(text);
    ASSERT_GT(most, 0) << text;
    EXPECT_GE(planned_precision(make_plan(graph, request_of(most - 0.2)).plan), most - 0.2);
    EXPECT_THAT(refusal_of(graph, request_of(most + 0.2)), HasSubstr("wanted"));
  }
}

}  // namespace
}  // namespace velum::plan::testing
