// The clear executor against direct computations written independently of it.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "model/execute.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

using testing::random_values;

Graph single(Operation op, Shape input, std::vector<std::string> inputs = {"x"}, Shape target = {}) {
  Graph g;
  g.name = "net";
  g.input = "x";
  g.input_shape = std::move(input);
  g.output = "y";
  g.nodes.push_back({"layer", std::move(op), std::move(inputs), "y", std::move(target)});
  infer_shapes(g);
  return g;
}

// Convolution by its definition, with an explicit test of every tap against the border.
std::vector<double> convolve(const Convolution& c, const Shape& in, const Shape& out, const float* x) {
  std::vector<double> y;
  const auto per_group = in[0] / c.groups, rows = c.outputs / c.groups;
  for (std::int64_t o = 0; o < out[0]; ++o)
    for (std::int64_t i = 0; i < out[1]; ++i)
      for (std::int64_t j = 0; j < out[2]; ++j) {
        double sum = c.bias.empty() ? 0.0 : static_cast<double>(c.bias[static_cast<std::size_t>(o)]);
        for (std::int64_t k = 0; k < per_group; ++k)
          for (std::int64_t u = 0; u < c.kernel_h; ++u)
            for (std::int64_t v = 0; v < c.kernel_w; ++v) {
              const auto r = i * c.stride_h + u * c.dilation_h - c.pad_top;
              const auto s = j * c.stride_w + v * c.dilation_w - c.pad_left;
              if (r < 0 || s < 0 || r >= in[1] || s >= in[2]) continue;
              const auto w = ((o * per_group + k) * c.kernel_h + u) * c.kernel_w + v;
              const auto channel = o / rows * per_group + k;
              sum += static_cast<double>(c.weights[static_cast<std::size_t>(w)]) *
                     static_cast<double>(x[(channel * in[1] + r) * in[2] + s]);
            }
        y.push_back(sum);
      }
  return y;
}

struct Geometry {
  std::int64_t channels, height, width, outputs, kh, kw, sh, sw, dh, dw, groups, top, left, bottom, right;
};

class ConvolutionGeometry : public ::testing::TestWithParam<Geometry> {};

TEST_P(ConvolutionGeometry, EqualsItsDefinition) {
  const Geometry& p = GetParam();
  Convolution c{p.outputs, p.kh,  p.kw,   p.sh,     p.sw,    p.dh, p.dw,
                p.groups,  p.top, p.left, p.bottom, p.right, {},   {}};
  c.weights = random_values(static_cast<std::size_t>(p.outputs * p.channels / p.groups * p.kh * p.kw), 3);
  for (const bool bias : {false, true}) {
    if (bias) c.bias = random_values(static_cast<std::size_t>(p.outputs), 4);
    const Graph g = single(c, {p.channels, p.height, p.width});
    const std::size_t count = 19;  // more than a tile, and not a multiple of one
    const auto x = testing::images_for(g, count);
    const auto y = execute(g, x, count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto expected = convolve(c, g.input_shape, g.nodes[0].shape, x.data() + i * x.size() / count);
      for (std::size_t e = 0; e < expected.size(); ++e)
        ASSERT_NEAR(y[i * expected.size() + e], expected[e], 1e-12) << "image " << i << " element " << e;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Odd, ConvolutionGeometry,
                         ::testing::Values(Geometry{1, 28, 28, 5, 5, 5, 2, 2, 1, 1, 1, 1, 1, 0, 0},
                                           Geometry{3, 7, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                                           Geometry{4, 6, 9, 6, 2, 3, 2, 3, 1, 1, 2, 0, 2, 1, 0},
                                           Geometry{2, 9, 9, 3, 3, 2, 1, 2, 2, 3, 1, 3, 0, 2, 4},
                                           Geometry{5, 4, 4, 5, 3, 3, 1, 1, 1, 1, 5, 1, 1, 1, 1},
                                           Geometry{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},
                                           Geometry{2, 3, 3, 7, 3, 3, 1, 1, 3, 3, 1, 3, 3, 3, 3},
                                           Geometry{1, 2, 2, 2, 5, 5, 3, 3, 1, 1, 1, 4, 4, 4, 4}));

TEST(Execute, Dense) {
  const Graph g = single(Dense{2, {1, 2, 3, 4, 5, 6}, {10, 20}}, {3});
  EXPECT_EQ(execute(g, std::vector<float>{1, 1, 1, 1, 0, -1}, 2), (std::vector<double>{16, 35, 8, 18}));
}

TEST(Execute, ElementwiseLayers) {
  const std::vector<float> x{1, -2, 3, -4};
  EXPECT_EQ(execute(single(ScaleShift{{{2, 1}, {2, 3}}, {{1, 2}, {10, 20}}}, {2, 2}), x, 1),
            (std::vector<double>{12, 16, 19, 8}));
  EXPECT_EQ(execute(single(Quadratic{{{2, 2}, {1, 2, 3, 4}}, {{}, {1}}, {{2, 1}, {0, 5}}}, {2, 2}), x, 1),
            (std::vector<double>{2, 6, 35, 65}));
  EXPECT_EQ(execute(single(Relu{}, {2, 2}), x, 1), (std::vector<double>{1, 0, 3, 0}));
  EXPECT_EQ(execute(single(Multiply{}, {2, 2}, {"x", "x"}), x, 1), (std::vector<double>{1, 4, 9, 16}));
  EXPECT_EQ(execute(single(Combine{{1, 2, -0.5}}, {2, 2}, {"x", "x", "x"}), x, 1),
            (std::vector<double>{2.5, -5, 7.5, -10}));
}

TEST(Execute, Pools) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(execute(single(AveragePool{2, 2, 1, 1}, {1, 3, 3}), x, 1), (std::vector<double>{3, 4, 6, 7}));
  EXPECT_EQ(execute(single(AveragePool{2, 2, 2, 2, 1, 1, 0, 0, false}, {1, 3, 3}), x, 1),
            (std::vector<double>{1, 2.5, 5.5, 7}));
  EXPECT_EQ(execute(single(AveragePool{2, 2, 2, 2, 1, 1, 0, 0, true}, {1, 3, 3}), x, 1),
            (std::vector<double>{0.25, 1.25, 2.75, 7}));
  EXPECT_EQ(execute(single(MaxPool{{2, 2, 1, 1}}, {1, 3, 3}), x, 1), (std::vector<double>{5, 6, 8, 9}));
  EXPECT_EQ(execute(single(MaxPool{{2, 2, 2, 2, 1, 1}}, {1, 3, 3}), std::vector<float>(9, -1.0F), 1),
            (std::vector<double>(4, -1)));
  EXPECT_EQ(execute(single(GlobalAveragePool{}, {1, 3, 3}), x, 1), (std::vector<double>{5}));
}

TEST(Execute, LayersThatMoveElements) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(execute(single(Pad{1, 0, 0, 2}, {1, 2, 3}), x, 1),
            (std::vector<double>{0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0}));
  EXPECT_EQ(execute(single(Transpose{{0, 2, 1}}, {1, 2, 3}), x, 1), (std::vector<double>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(execute(single(Transpose{{2, 0, 1}}, {1, 2, 3}), x, 1), (std::vector<double>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(execute(single(Concat{}, {1, 2, 3}, {"x", "x"}), x, 1),
            (std::vector<double>{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(execute(single(Reshape{}, {1, 2, 3}), x, 1), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

// A network with a branch: x stays alive while buffers are reused around it.
Graph residual() {
  Graph g;
  g.name = "residual";
  g.input = "x";
  g.input_shape = {2, 4, 4};
  g.output = "y";
  Convolution c{2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, random_values(36, 5), {}};
  g.nodes = {{"c1", c, {"x"}, "h1", {}},
             {"q1", Quadratic{{{}, {0.5F}}, {{}, {1}}, {{}, {0.25F}}}, {"h1"}, "h2", {}},
             {"c2", c, {"h2"}, "h3", {}},
             {"add", Combine{{1, 1, -1}}, {"h3", "h1", "x"}, "h4", {}},
             {"flat", Reshape{}, {"h4"}, "h5", {}},
             {"fc", Dense{3, random_values(96, 6), {}}, {"h5"}, "y", {}}};
  infer_shapes(g);
  return g;
}

TEST(Execute, ResultDoesNotDependOnBatchOrThreads) {
  const Graph g = residual();
  const std::size_t count = 37;
  const auto x = testing::images_for(g, count);
  use_threads(1);
  const auto alone = execute(g, x, count);
  use_threads(3);
  EXPECT_EQ(execute(g, x, count), alone);
  use_threads(0);
  for (const std::size_t i : {0, 15, 16, 36}) {
    const auto y = execute(g, std::span(x).subspan(i * 32, 32), 1);
    EXPECT_EQ(y, std::vector<double>(alone.begin() + static_cast<std::ptrdiff_t>(3 * i),
                                     alone.begin() + static_cast<std::ptrdiff_t>(3 * i + 3)));
  }
}

TEST(Execute, ObservesEveryTensor) {
  const Graph g = residual();
  const auto x = testing::images_for(g, 1);
  std::vector<std::string> names;
  std::vector<double> last, h1, h3, h4;
  execute_observed(g, x, [&](const Node& n, std::span<const double> v) {
    names.push_back(n.name);
    EXPECT_EQ(static_cast<std::int64_t>(v.size()), element_count(n.shape));
    last.assign(v.begin(), v.end());
    if (n.output == "h1") h1 = last;
    if (n.output == "h3") h3 = last;
    if (n.output == "h4") h4 = last;
  });
  EXPECT_EQ(names, (std::vector<std::string>{"c1", "q1", "c2", "add", "flat", "fc"}));
  EXPECT_EQ(last, execute(g, x, 1));
  for (std::size_t i = 0; i < h4.size(); ++i)
    EXPECT_DOUBLE_EQ(h4[i], h3[i] + h1[i] - static_cast<double>(x[i]));
}

TEST(Execute, RefusesWrongInput) {
  const Graph g = residual();
  EXPECT_THROW(execute(g, std::vector<float>(33), 1), Error);
  EXPECT_THROW(execute(g, std::vector<float>(32), 2), Error);
  EXPECT_THROW(execute(single(Unsupported{"Tanh"}, {2}), std::vector<float>(2), 1), Error);
  EXPECT_TRUE(execute(g, {}, 0).empty());
}

TEST(Calibrate, RecordsWidenedRangesAndRootMeanSquares) {
  Graph g = single(ScaleShift{{{}, {2}}, {{}, {1}}}, {2});
  calibrate(g, std::vector<float>{0, 0.5F, 1, -1, 0, 0.25F}, 3, 0.25);
  // Values 1 2 3 -1 1 1.5: width 4.
  EXPECT_DOUBLE_EQ(g.ranges.at("y").low, -2);
  EXPECT_DOUBLE_EQ(g.ranges.at("y").high, 4);
  EXPECT_DOUBLE_EQ(g.ranges.at("y").rms, std::sqrt((1 + 4 + 9 + 1 + 1 + 2.25) / 6));
  EXPECT_DOUBLE_EQ(g.ranges.at("y").typical, std::sqrt((1 + 4) / 2.0));  // of 5, 10 and 3.25
  EXPECT_DOUBLE_EQ(g.input_range.low, -1);
  EXPECT_DOUBLE_EQ(g.input_range.high, 1);
  EXPECT_DOUBLE_EQ(g.input_range.rms, std::sqrt((0.25 + 1 + 1 + 0.0625) / 6));
  EXPECT_DOUBLE_EQ(g.ranges.at("x").low, -1);
  EXPECT_THROW(calibrate(g, {}, 0, 0.25), Error);
  EXPECT_THROW(calibrate(g, std::vector<float>(2), 1, -1), Error);
}

TEST(Calibrate, TypicalSizeIsThatOfTheMiddleImage) {
  EXPECT_EQ(middle_rms({}, 2), 0);
  EXPECT_DOUBLE_EQ(middle_rms({8, 1e18, 2}, 2), 2);
  EXPECT_DOUBLE_EQ(middle_rms({NAN, 8, 2}, 2), 2);  // an image that overflows is no smaller than others
}

TEST(Calibrate, DoesNotDependOnThreads) {
  Graph g = residual(), h = g;
  const auto x = testing::images_for(g, 100);
  use_threads(1);
  calibrate(g, x, 100, 0.1);
  use_threads(3);
  calibrate(h, x, 100, 0.1);
  use_threads(0);
  for (const auto& [tensor, r] : g.ranges) {
    EXPECT_EQ(r.low, h.ranges.at(tensor).low);
    EXPECT_EQ(r.high, h.ranges.at(tensor).high);
    EXPECT_EQ(r.rms, h.ranges.at(tensor).rms);
    EXPECT_EQ(r.typical, h.ranges.at(tensor).typical);
  }
  EXPECT_EQ(g.ranges.size(), 7U);
}

}  // namespace
}  // namespace velum::model
