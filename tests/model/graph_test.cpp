#include <gtest/gtest.h>

#include "base/error.h"
#include "model/graph.h"
#include "model/obstacles.h"
#include "model/shapes.h"

namespace velum::model {
namespace {

Graph with(Operation op, Shape input, std::vector<std::string> inputs = {"x"}) {
  Graph g;
  g.name = "net";
  g.input = "x";
  g.input_shape = std::move(input);
  g.output = "y";
  g.nodes.push_back({"layer", std::move(op), std::move(inputs), "y", {}});
  return g;
}

Shape shape_after(Operation op, Shape input) {
  Graph g = with(std::move(op), std::move(input));
  infer_shapes(g);
  return g.nodes[0].shape;
}

std::string refusal(Graph g) {
  try {
    infer_shapes(g);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

Convolution convolution(std::int64_t outputs, std::int64_t channels, std::int64_t kh, std::int64_t kw) {
  Convolution c;
  c.outputs = outputs;
  c.kernel_h = kh;
  c.kernel_w = kw;
  c.weights.resize(static_cast<std::size_t>(outputs * channels * kh * kw));
  return c;
}

TEST(Shape, PrintsAndCounts) {
  EXPECT_EQ(to_string({3, 32, 16}), "3x32x16");
  EXPECT_EQ(to_string({}), "scalar");
  EXPECT_EQ(element_count({3, 32, 16}), 1536);
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({std::int64_t{1} << 40, std::int64_t{1} << 40}), INT64_MAX);
}

TEST(Broadcast, RepeatsAlongAxesOfLengthOne) {
  EXPECT_EQ(broadcast({{}, {2}}, {2, 2}), (std::vector<double>{2, 2, 2, 2}));
  EXPECT_EQ(broadcast({{2, 1}, {1, 2}}, {2, 3}), (std::vector<double>{1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(broadcast({{1, 3}, {1, 2, 3}}, {2, 3}), (std::vector<double>{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(broadcast({{2, 1, 2}, {1, 2, 3, 4}}, {2, 2, 2}), (std::vector<double>{1, 2, 1, 2, 3, 4, 3, 4}));
  EXPECT_THROW(broadcast({{3, 1}, {1, 2, 3}}, {2, 3}), Error);
  EXPECT_THROW(broadcast({{2}, {1, 2}}, {2, 3}), Error);
  EXPECT_THROW(broadcast({{}, {1, 2}}, {2}), Error);
}

TEST(InferShapes, Convolution) {
  auto c = convolution(5, 1, 5, 5);
  c.stride_h = c.stride_w = 2;
  c.pad_top = c.pad_left = 1;
  EXPECT_EQ(shape_after(c, {1, 28, 28}), (Shape{5, 13, 13}));
  auto d = convolution(4, 2, 3, 2);
  d.groups = 2;
  d.dilation_h = 3;
  d.pad_bottom = 2;
  EXPECT_EQ(shape_after(d, {4, 9, 5}), (Shape{4, 5, 4}));
}

TEST(InferShapes, EveryOtherLayer) {
  Dense d{7, std::vector<float>(7 * 3), {}};
  EXPECT_EQ(shape_after(d, {3}), (Shape{7}));
  EXPECT_EQ(shape_after(AveragePool{2, 3, 2, 1}, {4, 6, 7}), (Shape{4, 3, 5}));
  EXPECT_EQ(shape_after(MaxPool{{2, 2, 2, 2}}, {4, 7, 6}), (Shape{4, 3, 3}));
  EXPECT_EQ(shape_after(GlobalAveragePool{}, {4, 6, 7}), (Shape{4, 1, 1}));
  EXPECT_EQ(shape_after(Pad{1, 2, 3, 4}, {2, 5, 5}), (Shape{2, 9, 11}));
  EXPECT_EQ(shape_after(Transpose{{2, 0, 1}}, {2, 3, 4}), (Shape{4, 2, 3}));
  EXPECT_EQ(shape_after(Reshape{}, {2, 3, 4}), (Shape{24}));
  Graph g = with(Concat{}, {2, 3, 4}, {"x", "x", "x"});
  infer_shapes(g);
  EXPECT_EQ(g.nodes[0].shape, (Shape{6, 3, 4}));
}

TEST(InferShapes, RefusesNamingTheNode) {
  auto c = convolution(5, 1, 5, 5);
  EXPECT_NE(refusal(with(c, {2, 28, 28})).find("node 'layer' (convolution)"), std::string::npos);
  EXPECT_NE(refusal(with(c, {1, 4, 28})).find("window of 5 on an axis of 4"), std::string::npos);
  EXPECT_NE(refusal(with(c, {784})).find("feature map"), std::string::npos);
  c.groups = 2;
  EXPECT_NE(refusal(with(c, {2, 28, 28})).find("2 groups"), std::string::npos);
  EXPECT_NE(refusal(with(Dense{2, {1, 2, 3}, {}}, {2})).find("3 weights, expected 4"), std::string::npos);
  EXPECT_NE(refusal(with(Dense{1, {1, 2}, {}}, {1, 1, 2})).find("flatten"), std::string::npos);
  EXPECT_NE(refusal(with(AveragePool{2, 2, 1, 1, 2}, {1, 4, 4})).find("pads"), std::string::npos);
  EXPECT_NE(refusal(with(Combine{{1, 1}}, {4}, {"x"})).find("2 factors"), std::string::npos);
  EXPECT_NE(refusal(with(Multiply{}, {4}, {"x"})).find("2 inputs"), std::string::npos);
  EXPECT_NE(refusal(with(Relu{}, {4}, {"z"})).find("'z'"), std::string::npos);
  EXPECT_NE(refusal(with(Relu{}, {4, 0})).find("at least 1"), std::string::npos);
  EXPECT_NE(refusal(with(Relu{}, {1 << 13, 1 << 13})).find("input 'x'"), std::string::npos);
  EXPECT_NE(refusal(with(Transpose{{0, 0}}, {4, 2})).find("axes"), std::string::npos);
  EXPECT_NE(refusal(with(ScaleShift{{{3}, {1, 2, 3}}, {{}, {0}}}, {4})).find("scale"), std::string::npos);
  Graph twice = with(Relu{}, {4});
  twice.nodes.push_back(twice.nodes[0]);
  EXPECT_NE(refusal(twice).find("twice"), std::string::npos);
  twice.nodes[1].name = "other";
  EXPECT_NE(refusal(twice).find("already exists"), std::string::npos);
  Graph no_output = with(Relu{}, {4});
  no_output.output = "elsewhere";
  EXPECT_NE(refusal(no_output).find("'elsewhere'"), std::string::npos);
}

TEST(Graph, FindsProducersAndShapes) {
  Graph g = with(Relu{}, {4});
  infer_shapes(g);
  EXPECT_EQ(g.producer("x"), nullptr);
  EXPECT_EQ(g.producer("y"), &g.nodes[0]);
  EXPECT_EQ(g.shape_of("x"), (Shape{4}));
  EXPECT_THROW(g.producer("z"), Error);
}

TEST(RequirePolynomial, NamesNodeNeedAndRecipe) {
  const auto message = [](Operation op) -> std::string {
    Graph g = with(std::move(op), {1, 4, 4});
    infer_shapes(g);
    try {
      require_polynomial(g);
    } catch (const Error& e) {
      EXPECT_EQ(e.exit_code(), 2);
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message(AveragePool{}), "");
  for (const auto& m : {message(Relu{}), message(MaxPool{})}) {
    EXPECT_NE(m.find("node 'layer'"), std::string::npos) << m;
    EXPECT_NE(m.find("would need"), std::string::npos) << m;
    EXPECT_NE(m.find("velum train --from NETWORK.onnx --data DATASET --recipe "), std::string::npos) << m;
  }
  EXPECT_NE(message(Unsupported{"Sigmoid"}).find("Sigmoid"), std::string::npos);
  for (const auto& m : {message(AxisFunction{"LRN", 0, 1}), message(AxisFunction{"LayerNormalization", 0, 3}),
                        message(AxisFunction{"Softmax", 0, 1}), message(Unsupported{"Sigmoid"})})
    EXPECT_NE(m.find("velum train does not replace it"), std::string::npos) << m;
  for (const auto& m : {message(Function{"Sigmoid"}), message(Function{"LeakyRelu"})})
    EXPECT_NE(m.find("velum train --from NETWORK.onnx --data DATASET --recipe best"), std::string::npos) << m;
}

TEST(RequirePolynomial, NamesAllInOneGo) {
  Graph g;
  g.input = "x";
  g.input_shape = {1, 4, 4};
  g.nodes = {{"first", Relu{}, {"x"}, "a", {}},
             {"pool", MaxPool{{2, 2, 2, 2}}, {"a"}, "b", {}},
             {"last", AxisFunction{"LRN", 0, 1}, {"b"}, "c", {}},
             {"more", Relu{}, {"c"}, "y", {}}};
  g.output = "y";
  infer_shapes(g);
  try {
    require_polynomial(g);
    FAIL();
  } catch (const Error& e) {
    const std::string m = e.what();
    EXPECT_NE(m.find("node 'first' is Relu"), std::string::npos) << m;
    EXPECT_NE(m.find("4 nodes stand in the way: 2 Relu ('first', ..), 1 MaxPool ('pool'), 1 LRN ('last')"),
              std::string::npos)
        << m;
    EXPECT_NE(m.find("Of LRN 'last', velum train does not replace it"), std::string::npos) << m;
  }
  g.nodes[2].op = Relu{};
  const auto m = obstacles_text(obstacles(g), "my.onnx");
  EXPECT_NE(
      m.find("`velum train --from my.onnx --data DATASET --recipe best --out polynomial.onnx` trains it with "
             "quadratic activations and average pooling"),
      std::string::npos)
      << m;
}

}  // namespace
}  // namespace velum::model
