// What Velum writes: valid by ONNX's own checker, the same network when read again, with its ranges.
#include <gtest/gtest.h>
#include <onnx/checker.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

using testing::random_values;

struct Builder {
  Graph g;
  std::string last = "x";
  explicit Builder(Shape input) {
    g.name = "net";
    g.input = "x";
    g.input_shape = std::move(input);
  }
  Builder& add(Operation op, const std::string& out, std::vector<std::string> inputs = {},
               Shape target = {}) {
    if (inputs.empty()) inputs = {last};
    g.nodes.push_back({"n_" + out, std::move(op), std::move(inputs), out, std::move(target)});
    last = g.output = out;
    return *this;
  }
  Graph done() {
    infer_shapes(g);
    return g;
  }
};

// One of every layer, with coefficients of every kind.
Graph everything() {
  Convolution c{4, 3, 3, 1, 1, 1, 1, 2, 1, 0, 2, 1, random_values(4 * 1 * 9, 1), random_values(4, 2)};
  Convolution bare{4, 1, 2, 1, 1, 1, 2, 1, 0, 1, 0, 1, random_values(4 * 4 * 2, 3), {}};
  Builder b({2, 6, 7});
  b.add(c, "conv")
      .add(ScaleShift{{{4, 1, 1}, random_values(4, 4)}, {{4, 1, 1}, random_values(4, 5)}}, "norm")
      .add(Quadratic{{{4, 7, 6}, random_values(4 * 42, 6)}, {{4, 1, 1}, random_values(4, 7)}, {{}, {0.5F}}},
           "act")
      .add(bare, "conv2")
      .add(Combine{{1, 0.5}}, "residual", {"conv2", "norm"})
      .add(Combine{{1, -1}}, "difference", {"residual", "conv"})
      .add(Combine{{1, 2, 1}}, "three", {"difference", "conv2", "act"})
      .add(Multiply{}, "product", {"three", "conv2"})
      .add(Pad{1, 0, 2, 1}, "pad")
      .add(AveragePool{2, 3, 2, 1, 1, 0, 0, 1, true}, "pool")
      .add(AveragePool{2, 2, 1, 1, 1, 1, 0, 0, false}, "pool2")
      .add(Concat{}, "concat", {"pool2", "pool2"})
      .add(Transpose{{0, 2, 1}}, "transposed")
      .add(Reshape{}, "folded", {}, {2, 4, 30})
      .add(GlobalAveragePool{}, "mean")
      .add(Reshape{}, "flat", {}, {2})
      .add(Dense{5, random_values(10, 8), random_values(5, 9)}, "fc")
      .add(Quadratic{{{5}, random_values(5, 10)}, {{5}, random_values(5, 11)}, {{5}, random_values(5, 12)}},
           "act2")
      .add(Dense{3, random_values(15, 13), {}}, "logits");
  Graph g = b.done();
  g.ranges = {{"norm", {-1.25, 3.5, 0.75, 0.5}}, {"fc", {-1.0 / 3.0, 1e-17, 0.1}}};
  g.input_range = {-0.5, 1.5, 0.3};
  g.metadata = {{"recipe", "direct"}, {"note", "two\nlines = \"quoted\""}};
  return g;
}

TEST(Export, PassesTheOnnxChecker) {
  const auto bytes = to_onnx(everything());
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  EXPECT_NO_THROW(onnx::checker::check_model(model));
  EXPECT_EQ(model.opset_import(0).version(), 13);
}

TEST(Export, RoundTripComputesTheSame) {
  const Graph g = everything();
  const Graph h = load_onnx(to_onnx(g), "again.onnx");
  EXPECT_EQ(h.name, g.name);
  EXPECT_EQ(h.input_shape, g.input_shape);
  EXPECT_EQ(h.metadata, g.metadata);
  const auto x = testing::images_for(g, 20);
  const auto before = execute(g, x, 20), after = execute(h, x, 20);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(before[i], after[i], 1e-5 * (1 + std::fabs(before[i])));
}

TEST(Export, RangesOfQuadraticInputsSurvive) {
  const Graph g = everything();
  const Graph h = load_onnx(to_onnx(g), "again.onnx");
  std::size_t quadratics = 0;
  for (const auto& n : h.nodes) {
    if (!std::holds_alternative<Quadratic>(n.op)) continue;
    ++quadratics;
    ASSERT_TRUE(h.ranges.contains(n.inputs[0])) << n.name << " reads " << n.inputs[0];
    const Range &r = h.ranges.at(n.inputs[0]), &s = g.ranges.at(n.inputs[0]);
    EXPECT_EQ(r.low, s.low);
    EXPECT_EQ(r.high, s.high);
    EXPECT_EQ(r.rms, s.rms);
    EXPECT_EQ(r.typical, s.typical);
  }
  EXPECT_EQ(quadratics, 2U);
  EXPECT_EQ(h.input_range.low, -0.5);
  EXPECT_EQ(h.input_range.high, 1.5);
  EXPECT_EQ(h.input_range.rms, 0.3);
}

TEST(Export, SecondRoundTripChangesNothing) {
  const Graph once = load_onnx(to_onnx(everything()), "once");
  const auto bytes = to_onnx(once);
  EXPECT_EQ(to_onnx(load_onnx(bytes, "twice")), bytes);
}

TEST(Export, KeepsReluAndMaxPool) {
  Graph g = Builder({1, 4, 4}).add(Relu{}, "r").add(MaxPool{{2, 2, 2, 2}}, "m").done();
  const Graph h = load_onnx(to_onnx(g), "again");
  EXPECT_EQ(testing::count_of<Relu>(h), 1U);
  EXPECT_EQ(testing::count_of<MaxPool>(h), 1U);
  g.nodes[0].op = Unsupported{"Tanh"};
  EXPECT_THROW(to_onnx(g), Error);
}

TEST(Export, WritesFiles) {
  const auto path = std::filesystem::temp_directory_path() / "velum_export_test.onnx";
  save_onnx(everything(), path.string());
  EXPECT_EQ(load_onnx(path.string()).nodes.size(), load_onnx(to_onnx(everything()), "x").nodes.size());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace velum::model
