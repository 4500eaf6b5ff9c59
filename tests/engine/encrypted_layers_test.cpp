// Every kind of layer, encrypted, against the clear executor. Rings are tiny; the arithmetic is the real one.
#include <gtest/gtest.h>

#include "support/encrypted_run.h"
#include "support/graphs.h"

namespace velum::test {
namespace {

using namespace model;

constexpr double kTolerance = 0.02;  // of the largest output: 10-bit weights over a few layers
constexpr double kNoise = 0.002;     // against the same rounded weights: only the noise of encryption is left

struct Case {
  std::string name;
  Graph graph;
};

Graph with_head(GraphBuilder& b, const std::string& in, std::int64_t elements) {
  return b.finish(b.dense(b.flatten(in, elements), elements, 3));
}

Graph convolution_case(Convolution c, Shape in, std::int64_t out_elements, unsigned seed) {
  GraphBuilder b(in, seed);
  const auto x = b.convolution(b.input(), std::move(c), in[0]);
  return with_head(b, b.quadratic(x, {}), out_elements);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  {
    GraphBuilder b({6});
    all.push_back({"affine_only", b.finish(b.dense(b.input(), 6, 4))});
  }
  {
    GraphBuilder b({6});
    const auto x = b.quadratic(b.dense(b.input(), 6, 5), {5});
    all.push_back({"dense_element", b.finish(b.dense(x, 5, 4))});
  }
  all.push_back({"convolution_stride_pad", convolution_case({.outputs = 3,
                                                             .kernel_h = 3,
                                                             .kernel_w = 3,
                                                             .stride_h = 2,
                                                             .stride_w = 2,
                                                             .pad_top = 1,
                                                             .pad_left = 1},
                                                            {1, 8, 8}, 3 * 4 * 4, 1)});
  all.push_back({"convolution_odd_shape", convolution_case({.outputs = 2,
                                                            .kernel_h = 2,
                                                            .kernel_w = 3,
                                                            .stride_h = 1,
                                                            .stride_w = 2,
                                                            .pad_bottom = 2,
                                                            .pad_right = 1},
                                                           {3, 5, 7}, 2 * 6 * 3, 2)});
  all.push_back(
      {"convolution_groups_dilation",
       convolution_case(
           {.outputs = 4, .kernel_h = 2, .kernel_w = 2, .dilation_h = 2, .dilation_w = 3, .groups = 2},
           {4, 6, 6}, 4 * 4 * 3, 3)});
  {
    GraphBuilder b({2, 6, 6});
    const auto x =
        b.quadratic(b.convolution(b.input(), {.outputs = 3, .kernel_h = 3, .kernel_w = 3}, 2), {3, 1, 1});
    const auto y = b.node(x, AveragePool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2});
    const auto z = b.quadratic(b.convolution(y, {.outputs = 4, .kernel_h = 2, .kernel_w = 2}, 3), {4, 1, 1});
    all.push_back({"pool_between_convolutions", with_head(b, z, 4)});
  }
  {
    GraphBuilder b({2, 4, 4});
    const auto x = b.quadratic(b.convolution(b.input(), same_padded(3), 2), {3, 4, 4});
    const auto y = b.quadratic(b.convolution(x, same_padded(3), 3), {3, 4, 4});
    const auto z =
        b.node({b.convolution(y, {.outputs = 3, .kernel_h = 1, .kernel_w = 1}, 3), x}, Combine{{1.0, 0.5}});
    const auto w = b.quadratic(z, {});
    all.push_back({"residual", b.finish(b.dense(b.flatten(b.node(w, GlobalAveragePool{}), 3), 3, 3))});
  }
  {
    GraphBuilder b({2, 4, 4});
    const auto x =
        b.quadratic(b.convolution(b.input(), {.outputs = 2, .kernel_h = 3, .kernel_w = 3}, 2), {2, 2, 2});
    const auto l = b.quadratic(b.convolution(x, {.outputs = 2, .kernel_h = 1, .kernel_w = 1}, 2), {2, 1, 1});
    const auto y = b.node({x, l}, Concat{});
    all.push_back({"concat_of_two_depths", with_head(b, y, 16)});
  }
  {
    GraphBuilder b({5});
    auto q =
        Quadratic{b.coefficients({5}, 0.1, 0.3), b.coefficients({5}, 0.5, 1), b.coefficients({5}, -0.2, 0.2)};
    q.a.values[1] = 1e-7F;  // |a| so small that completing the square would lose everything
    q.a.values[3] = 0;
    const auto x = b.node(b.dense(b.input(), 5, 5), q);
    const auto y = b.quadratic(b.dense(x, 5, 4), {4});
    all.push_back({"tiny_leading_coefficient", b.finish(b.dense(y, 4, 3))});
  }
  {
    GraphBuilder b({4});
    const auto u = b.dense(b.input(), 4, 3), v = b.dense(b.input(), 4, 3);
    all.push_back({"product_of_branches", b.finish(b.dense(b.node({u, v}, Multiply{}), 3, 2))});
  }
  {
    GraphBuilder b({2, 5, 5});
    const auto x =
        b.node(b.input(), ScaleShift{b.coefficients({2, 1, 1}, 0.5, 2), b.coefficients({2, 5, 5}, -1, 1)});
    const auto p = b.node(x, Pad{.top = 1, .left = 0, .bottom = 2, .right = 1});
    const auto c = b.convolution(p, {.outputs = 3, .kernel_h = 3, .kernel_w = 2}, 2);
    all.push_back(
        {"scale_shift_pad", with_head(b,
                                      b.quadratic(b.node(c, ScaleShift{b.coefficients({3, 1, 1}, 0.5, 2),
                                                                       b.coefficients({3, 1, 1}, -1, 1)}),
                                                  {3, 6, 5}),
                                      90)});
  }
  {
    GraphBuilder b({6});
    auto x = b.input();
    std::int64_t width = 6;
    for (int i = 0; i < 5; ++i, width = 4) x = b.quadratic(b.dense(x, width, 4), {4});
    all.push_back({"five_squares", b.finish(b.dense(x, 4, 2))});
  }
  return all;
}

class EncryptedLayer : public testing::TestWithParam<std::size_t> {};

TEST_P(EncryptedLayer, EqualsTheClearNetwork) {
  const auto c = cases()[GetParam()];
  SCOPED_TRACE(c.name);
  const auto run = run_encrypted(c.graph, tiny_request(), 40);
  EXPECT_LT(run.worst_error, kTolerance) << c.name;
  EXPECT_LT(run.worst_noise, kNoise) << c.name;
}

TEST_P(EncryptedLayer, EqualsTheClearNetworkInTheStandardRing) {
  const auto c = cases()[GetParam()];
  auto request = tiny_request();
  request.ring = ckks::RingType::standard;
  const auto run = run_encrypted(c.graph, request, 40);
  EXPECT_LT(run.worst_error, kTolerance) << c.name;
  EXPECT_LT(run.worst_noise, kNoise) << c.name;
}

INSTANTIATE_TEST_SUITE_P(Kinds, EncryptedLayer, testing::Range(std::size_t{0}, cases().size()),
                         [](const auto& i) { return cases()[i.param].name; });

}  // namespace
}  // namespace velum::test
