// Each arithmetic operator of ONNX and each of its attributes, against hand-written or directly computed
// values.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

using namespace testing;

std::vector<double> run(OnnxFile& f, const Floats& x, std::size_t count = 1) {
  return execute(f.load(), x, count);
}

Floats counting(std::size_t n) {
  Floats v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<float>(i + 1);
  return v;
}

using Values = std::vector<double>;

TEST(Conv, PlainWithBias) {
  OnnxFile f({1, 3, 3});
  f.floats("w", {2, 1, 2, 2}, {1, 0, 0, 1, 0, 1, 1, 0})
      .floats("b", {2}, {100, 200})
      .node("Conv", {"x", "w", "b"}, "y");
  EXPECT_EQ(run(f, counting(9)), (Values{106, 108, 112, 114, 206, 208, 212, 214}));
}

TEST(Conv, StrideAndAsymmetricPads) {
  OnnxFile f({1, 3, 3});
  f.floats("w", {1, 1, 2, 2}, {1, 2, 3, 4});
  f.node("Conv", {"x", "w"}, "y",
         {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 0, 1}}});
  // Top row is padding; rows of windows start at -1 and 1, columns at 0, 1, 2.
  EXPECT_EQ(run(f, counting(9)),
            (Values{3 * 1 + 4 * 2, 3 * 2 + 4 * 3, 3 * 3, 4 + 10 + 21 + 32, 5 + 12 + 24 + 36, 6 + 27}));
}

TEST(Conv, Dilation) {
  OnnxFile f({1, 3, 4});
  f.floats("w", {1, 1, 2, 2}, {1, 10, 100, 1000}).node("Conv", {"x", "w"}, "y", {{"dilations", Ints{2, 3}}});
  EXPECT_EQ(run(f, counting(12)), (Values{1 + 40 + 900 + 12000}));
}

TEST(Conv, Groups) {
  OnnxFile f({4, 1, 1});
  f.floats("w", {4, 2, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}).node("Conv", {"x", "w"}, "y", {{"group", 2}});
  EXPECT_EQ(run(f, counting(4)), (Values{5, 11, 39, 53}));
}

TEST(Conv, AutoPad) {
  const auto outputs = [](const char* mode, std::int64_t stride, int opset) {
    OnnxFile f({1, 1, 4}, opset);
    f.floats("w", {1, 1, 1, 2}, {1, 10});
    f.node("Conv", {"x", "w"}, "y", {{"auto_pad", mode}, {"strides", Ints{1, stride}}});
    return run(f, counting(4));
  };
  EXPECT_EQ(outputs("VALID", 1, 11), (Values{21, 32, 43}));
  EXPECT_EQ(outputs("SAME_UPPER", 1, 13), (Values{21, 32, 43, 4}));
  EXPECT_EQ(outputs("SAME_LOWER", 1, 17), (Values{10, 21, 32, 43}));
  EXPECT_EQ(outputs("SAME_UPPER", 2, 12), (Values{21, 43}));
  EXPECT_EQ(outputs("SAME_LOWER", 3, 12), (Values{10, 43}));
}

TEST(Gemm, EveryAttribute) {
  const Floats b{1, 2, 3, 4, 5, 6};
  {
    OnnxFile f({2});
    f.floats("w", {2, 3}, b).node("Gemm", {"x", "w"}, "y");
    EXPECT_EQ(run(f, {1, 10}), (Values{41, 52, 63}));
  }
  {
    OnnxFile f({2});
    f.floats("w", {3, 2}, b).floats("c", {3}, {1, 2, 3});
    f.node("Gemm", {"x", "w", "c"}, "y", {{"transB", 1}, {"alpha", 2.0}, {"beta", -1.0}});
    EXPECT_EQ(run(f, {1, 10}), (Values{42 - 1, 86 - 2, 130 - 3}));
  }
  {
    OnnxFile f({2});
    f.floats("w", {2, 3}, b).floats("c", {}, {7}).node("Gemm", {"x", "w", "c"}, "y", {{"transA", 0}});
    EXPECT_EQ(run(f, {1, 10}), (Values{48, 59, 70}));
  }
  {
    OnnxFile f({2});
    f.floats("w", {2, 3}, b)
        .floats("c", {1, 3}, {7, 8, 9})
        .node("Gemm", {"x", "w", "c"}, "y", {{"beta", 0.0}});
    EXPECT_EQ(run(f, {1, 10}), (Values{41, 52, 63}));
  }
  {
    OnnxFile f({2});
    f.floats("w", {2, 2}, {1, 2, 3, 4}).node("Gemm", {"x", "w", "x"}, "y", {{"beta", 2.0}});
    EXPECT_EQ(run(f, {1, 10}), (Values{33, 62}));
  }
}

TEST(MatMul, WithAndWithoutAdd) {
  OnnxFile f({2});
  f.floats("w", {2, 3}, {1, 2, 3, 4, 5, 6}).floats("b", {3}, {1, 2, 3});
  f.node("MatMul", {"x", "w"}, "h").node("Add", {"b", "h"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(only<Dense>(g).bias, (Floats{1, 2, 3}));
  EXPECT_EQ(execute(g, Floats{1, 10}, 1), (Values{42, 54, 66}));
}

TEST(MatMul, OfARowAndOfTransposedWeights) {
  OnnxFile f({1, 1, 2});
  f.floats("w", {3, 2}, {1, 2, 3, 4, 5, 6}).node("Transpose", {"w"}, "t").node("MatMul", {"x", "t"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(g.shape_of(g.output), (Shape{1, 1, 3}));
  EXPECT_EQ(execute(g, Floats{1, 10}, 1), (Values{21, 43, 65}));
}

TEST(BatchNormalization, OnFeatureMapsAndVectors) {
  for (const Shape& shape : {Shape{2, 1, 2}, Shape{2}}) {
    OnnxFile f(shape, 15);
    f.floats("s", {2}, {2, 3}).floats("b", {2}, {1, -1}).floats("m", {2}, {0.5, 1}).floats("v", {2}, {3, 8});
    f.node("BatchNormalization", {"x", "s", "b", "m", "v"}, "y",
           {{"epsilon", 1.0}, {"momentum", 0.9}, {"training_mode", 0}});
    const auto n = static_cast<std::size_t>(element_count(shape));
    const auto y = run(f, counting(n));
    for (std::size_t i = 0; i < n; ++i) {
      const double x = static_cast<double>(i + 1);
      EXPECT_NEAR(y[i], i < n / 2 ? 2 * (x - 0.5) / 2 + 1 : 3 * (x - 1) / 3 - 1, 1e-6);
    }
  }
}

TEST(AveragePool, EveryAttribute) {
  {
    OnnxFile f({1, 3, 3});
    f.node("AveragePool", {"x"}, "y", {{"kernel_shape", Ints{2, 2}}});
    EXPECT_EQ(run(f, counting(9)), (Values{3, 4, 6, 7}));
  }
  for (const int include : {0, 1}) {
    OnnxFile f({1, 3, 3});
    f.node("AveragePool", {"x"}, "y",
           {{"kernel_shape", Ints{2, 2}},
            {"strides", Ints{2, 2}},
            {"pads", Ints{1, 1, 0, 0}},
            {"count_include_pad", include}});
    EXPECT_EQ(run(f, counting(9)), include ? (Values{0.25, 1.25, 2.75, 7}) : (Values{1, 2.5, 5.5, 7}));
  }
  {
    OnnxFile f({1, 4, 4});
    f.node("AveragePool", {"x"}, "y",
           {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", 1}});
    EXPECT_EQ(run(f, counting(16)), (Values{3.5, 5.5, 11.5, 13.5}));
  }
  {
    OnnxFile f({1, 1, 3});
    f.node("AveragePool", {"x"}, "y", {{"kernel_shape", Ints{1, 2}}, {"auto_pad", "SAME_UPPER"}});
    EXPECT_EQ(run(f, counting(3)), (Values{1.5, 2.5, 3}));
  }
}

// PyTorch writes AvgPool2d as a pad of nothing and a pool.
TEST(AveragePool, AfterAPadOfNothing) {
  OnnxFile f({1, 2, 2});
  f.node("Constant", {}, "pads", {{"value", tensor({8}, Ints(8, 0))}});
  f.node("Constant", {}, "zero", {{"value", tensor({}, Floats{0})}});
  f.node("Pad", {"x", "pads", "zero"}, "p", {{"mode", "constant"}});
  f.node("AveragePool", {"p"}, "y", {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{0, 0, 0, 0}}});
  const Graph g = f.load();
  EXPECT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(execute(g, counting(4), 1), (Values{2.5}));
}

TEST(GlobalAveragePool, AveragesEachChannel) {
  OnnxFile f({2, 2, 2});
  f.node("GlobalAveragePool", {"x"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(g.shape_of(g.output), (Shape{2, 1, 1}));
  EXPECT_EQ(execute(g, counting(8), 1), (Values{2.5, 6.5}));
}

TEST(ReduceMean, OverSpace) {
  const auto result = [](Ints axes, int keep, Shape shape) {
    OnnxFile f({2, 2, 3});
    f.node("ReduceMean", {"x"}, "y", {{"axes", axes}, {"keepdims", keep}});
    const Graph g = f.load();
    EXPECT_EQ(g.shape_of(g.output), shape);
    return execute(g, counting(12), 1);
  };
  for (const auto& axes : {Ints{2, 3}, Ints{-1, -2}}) {
    EXPECT_EQ(result(axes, 1, {2, 1, 1}), (Values{3.5, 9.5}));
    EXPECT_EQ(result(axes, 0, {2}), (Values{3.5, 9.5}));
  }
  EXPECT_EQ(result({2}, 1, {2, 1, 3}), (Values{2.5, 3.5, 4.5, 8.5, 9.5, 10.5}));
  EXPECT_EQ(result({3}, 0, {2, 2}), (Values{2, 5, 8, 11}));
}

TEST(Pad, OfZeros) {
  OnnxFile f({1, 2, 2});
  f.integers("pads", {0, 0, 1, 0, 0, 0, 0, 2}).floats("value", {}, {0});
  f.node("Pad", {"x", "pads", "value"}, "y");
  EXPECT_EQ(run(f, counting(4)), (Values{0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0}));
}

TEST(Pad, JoinsTheConvolutionBehindIt) {
  OnnxFile f({1, 2, 2});
  f.integers("pads", {0, 0, 1, 0, 0, 0, 0, 1}).floats("w", {1, 1, 2, 2}, {1, 10, 100, 1000});
  f.node("Pad", {"x", "pads"}, "p").node("Conv", {"p", "w"}, "y", {{"pads", Ints{0, 1, 1, 0}}});
  const Graph g = f.load();
  EXPECT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(execute(g, counting(4), 1), (Values{1000, 2100, 200, 3010, 4321, 402, 30, 43, 4}));
}

struct Arithmetic {
  const char* op;
  bool constant_first;
  double (*compute)(double x, double c);
};

class WithConstant : public ::testing::TestWithParam<Arithmetic> {};

TEST_P(WithConstant, OfEveryBroadcastableShape) {
  const Arithmetic& p = GetParam();
  struct {
    Ints dims;
    std::size_t (*index)(std::size_t element);  // of {2,3,4}
  } const shapes[] = {
      {{}, [](std::size_t) { return std::size_t{0}; }},
      {{1}, [](std::size_t) { return std::size_t{0}; }},
      {{4}, [](std::size_t e) { return e % 4; }},
      {{3, 1}, [](std::size_t e) { return e / 4 % 3; }},
      {{3, 4}, [](std::size_t e) { return e % 12; }},
      {{2, 1, 1}, [](std::size_t e) { return e / 12; }},
      {{1, 2, 1, 1}, [](std::size_t e) { return e / 12; }},
      {{2, 1, 4}, [](std::size_t e) { return e / 12 * 4 + e % 4; }},
      {{1, 2, 3, 4}, [](std::size_t e) { return e; }},
  };
  for (const auto& s : shapes) {
    std::size_t n = 1;
    for (const auto d : s.dims) n *= static_cast<std::size_t>(d);
    Floats c = counting(n + 1);  // from 2 on: a factor of 1 would leave nothing to do
    c.erase(c.begin());
    OnnxFile f({2, 3, 4});
    f.floats("c", s.dims, c);
    f.node(p.op, p.constant_first ? std::vector<std::string>{"c", "x"} : std::vector<std::string>{"x", "c"},
           "y");
    const auto x = random_values(48, 9);
    const auto y = run(f, x, 2);
    for (std::size_t i = 0; i < y.size(); ++i)
      EXPECT_NEAR(y[i], p.compute(static_cast<double>(x[i]), static_cast<double>(c[s.index(i % 24)])), 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, WithConstant,
                         ::testing::Values(Arithmetic{"Add", false, [](double x, double c) { return x + c; }},
                                           Arithmetic{"Add", true, [](double x, double c) { return c + x; }},
                                           Arithmetic{"Sub", false, [](double x, double c) { return x - c; }},
                                           Arithmetic{"Sub", true, [](double x, double c) { return c - x; }},
                                           Arithmetic{"Mul", false, [](double x, double c) { return x * c; }},
                                           Arithmetic{"Mul", true, [](double x, double c) { return c * x; }},
                                           Arithmetic{"Div", false,
                                                      [](double x, double c) { return x / c; }}),
                         [](const auto& test) {
                           return std::string(test.param.op) +
                                  (test.param.constant_first ? "First" : "Second");
                         });

TEST(Branches, AddSubMulSumNeg) {
  const auto with = [](const char* op) {
    OnnxFile f({2});
    f.floats("v", {2, 2}, {1, 2, 3, 4}).node("MatMul", {"x", "v"}, "a").node(op, {"a", "x"}, "y");
    return run(f, {1, 10});
  };
  EXPECT_EQ(with("Add"), (Values{32, 52}));
  EXPECT_EQ(with("Sub"), (Values{30, 32}));
  EXPECT_EQ(with("Mul"), (Values{31, 420}));
  EXPECT_EQ(with("Sum"), (Values{32, 52}));
  OnnxFile f({2});
  f.node("Neg", {"x"}, "y");
  EXPECT_EQ(run(f, {1, -10}), (Values{-1, 10}));
}

TEST(NoOperation, IdentityDropoutCast) {
  OnnxFile f({2}, 12);
  f.floats("w", {2, 2}, {1, 2, 3, 4}).floats("ratio", {}, {0.5});
  f.node("Identity", {"w"}, "v")
      .node("Identity", {"x"}, "a")
      .node("Dropout", {"a", "ratio"}, "b", {{"seed", 3}});
  f.node("Cast", {"b"}, "c", {{"to", 1}}).node("MatMul", {"c", "v"}, "d").node("Identity", {"d"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(execute(g, Floats{1, 10}, 1), (Values{31, 42}));
}

TEST(Constant, InEveryForm) {
  OnnxFile f({2});
  f.node("Constant", {}, "a", {{"value_float", 2.0}})
      .node("Constant", {}, "b", {{"value_floats", Floats{10, 20}}});
  f.node("Constant", {}, "c", {{"value", tensor({1}, Floats{0.5})}})
      .node("Constant", {}, "e", {{"value_int", 2}});
  f.node("Mul", {"x", "a"}, "h")
      .node("Add", {"h", "b"}, "k")
      .node("Div", {"k", "c"}, "l")
      .node("Pow", {"l", "e"}, "y");
  EXPECT_EQ(run(f, {1, 2}), (Values{576, 2304}));
}

// Weights that an exporter computes inside the graph: weight normalisation, batch norm by hand, expanded
// constants.
TEST(Constant, FoldedArithmetic) {
  OnnxFile f({2});
  f.floats("v", {2}, {3, 8}).floats("eps", {}, {1}).floats("g", {2}, {4, 6}).integers("two", {2});
  f.node("Add", {"v", "eps"}, "a")
      .node("Sqrt", {"a"}, "b")
      .node("Div", {"g", "b"}, "c")
      .node("Neg", {"c"}, "d");
  f.node("Unsqueeze", {"d", "zero_axis"}, "e").node("Mul", {"x", "e"}, "h");
  f.integers("zero_axis", {0}).node("Expand", {"eps", "two"}, "ones").node("Sub", {"h", "ones"}, "y");
  EXPECT_EQ(run(f, {1, 2}), (Values{-3, -5}));
}

TEST(Nonpolynomial, IsKeptForTheTrainer) {
  OnnxFile f({1, 4, 4});
  f.node("Relu", {"x"}, "a")
      .node("MaxPool", {"a"}, "b", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  f.node("LeakyRelu", {"b"}, "y", {{"alpha", 0.1}}, "leak");
  const Graph g = f.load();
  EXPECT_EQ(count_of<Relu>(g), 1U);
  EXPECT_EQ(only<MaxPool>(g).window.stride_h, 2);
  EXPECT_EQ(only<Function>(g).op, "LeakyRelu");
  EXPECT_EQ(g.shape_of("y"), (Shape{1, 2, 2}));
  EXPECT_THROW(require_polynomial(g), Error);
}

TEST(FinalActivation, IsDroppedWithANote) {
  for (const char* op : {"Softmax", "LogSoftmax", "Sigmoid", "ArgMax", "Hardmax"}) {
    OnnxFile f({2});
    f.floats("w", {2, 2}, {1, 2, 3, 4}).node("MatMul", {"x", "w"}, "h");
    // ArgMax runs over the batch axis where it is not told otherwise.
    const bool first = op == std::string("ArgMax");
    f.node(op, {"h"}, "y", first ? std::vector<Attribute>{{"axis", 1}} : std::vector<Attribute>{}, "last");
    const Graph g = f.load();
    EXPECT_EQ(g.output, "h");
    ASSERT_EQ(g.notes.size(), 1U);
    EXPECT_NE(g.notes[0].find(op), std::string::npos);
    EXPECT_NE(g.notes[0].find("last"), std::string::npos);
  }
  OnnxFile f({2});
  f.floats("w", {2, 2}, {1, 2, 3, 4})
      .node("MatMul", {"x", "w"}, "h")
      .node("Softmax", {"h"}, "s", {{"axis", -1}});
  f.node("ArgMax", {"s"}, "a", {{"axis", 1}, {"keepdims", 0}}).node("Cast", {"a"}, "y", {{"to", 6}});
  EXPECT_EQ(f.load().notes.size(), 2U);
  OnnxFile middle({2});
  middle.floats("w", {2, 2}, {1, 2, 3, 4}).node("Softmax", {"x"}, "h").node("MatMul", {"h", "w"}, "y");
  EXPECT_EQ(only<AxisFunction>(middle.load()).op, "Softmax");
}

}  // namespace
}  // namespace velum::model
