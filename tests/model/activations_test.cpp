// Activations of several nodes are found whole.
#include "model/activations.h"

#include <gtest/gtest.h>

#include "model/obstacles.h"
#include "support/graphs.h"

namespace velum::model {
namespace {

ScaleShift affine(float scale, float shift) {
  return {{{}, {scale}}, {{}, {shift}}};
}

class Activations : public testing::Test {
 protected:
  test::GraphBuilder builder{{1, 2, 2}};
  std::string x = builder.node(builder.input(), affine(2, 0));  // a batch norm, say
  std::string function(const std::string& in, const char* op, double alpha = 0, double beta = 0) {
    return builder.node(in, Function{op, alpha, beta});
  }
  // The only activation, from x to y, of so many nodes, with a layer behind it.
  void expect_one(const std::string& y, std::size_t nodes) {
    const auto out = builder.dense(builder.flatten(y, 4), 4, 2);
    const auto g = builder.finish(out);
    const auto all = find_activations(g);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].input, x);
    EXPECT_EQ(all[0].output, y);
    EXPECT_EQ(all[0].nodes.size(), nodes);
    for (const auto& o : obstacles(g)) EXPECT_EQ(o.recipe, "best") << o.what;
    EXPECT_EQ(obstacles(g).size(), 1u);
  }
};

TEST_F(Activations, OneNode) {
  expect_one(function(x, "LeakyRelu", 0.1), 1);
}
TEST_F(Activations, Silu) {
  const auto s = function(x, "Sigmoid");
  expect_one(builder.node(std::vector<std::string>{x, s}, Multiply{}), 2);
}
TEST_F(Activations, Gelu) {
  const auto inner = builder.node(x, affine(0.7F, 0)), erf = function(inner, "Erf");
  const auto one = builder.node(erf, affine(0.5F, 0.5F));
  expect_one(builder.node(std::vector<std::string>{x, one}, Multiply{}), 4);
}
TEST_F(Activations, Mish) {
  const auto t = function(function(x, "Softplus"), "Tanh");
  expect_one(builder.node(std::vector<std::string>{x, t}, Multiply{}), 3);
}
TEST_F(Activations, HardSwish) {
  const auto six = function(builder.node(x, affine(1, 3)), "Clip", 0, 6);
  const auto scaled = builder.node(six, affine(1.0F / 6, 0));
  expect_one(builder.node(std::vector<std::string>{x, scaled}, Multiply{}), 4);
}
TEST_F(Activations, SoftplusWithAThreshold) {
  const auto limit = builder.node(x, affine(0, 20));
  const auto large = builder.node(std::vector<std::string>{x, limit}, Function{"Greater", 0, 0});
  expect_one(
      builder.node(std::vector<std::string>{large, x, function(x, "Softplus")}, Function{"Where", 0, 0}), 4);
}

// x + f(x) is a residual connection: the sum is no part of the activation.
TEST_F(Activations, AResidualSumStaysOutside) {
  const auto f = function(x, "Tanh");
  const auto sum = builder.node(std::vector<std::string>{x, f}, Combine{{1, 1}});
  const auto all = find_activations(builder.finish(builder.dense(builder.flatten(sum, 4), 4, 2)));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].output, f);
}

}  // namespace
}  // namespace velum::model
