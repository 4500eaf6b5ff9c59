// Operators that move or rename elements, and the shapes that exporters compute inside the graph.
#include <gtest/gtest.h>

#include "base/error.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

using namespace testing;

Floats counting(std::size_t n) {
  Floats v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<float>(i + 1);
  return v;
}

// The shape after the nodes, with a layer behind them so that nothing is dropped as an identity of the whole
// network.
Shape shape_of(OnnxFile& f) {
  return f.load().shape_of("y");
}

TEST(Reshape, TargetsWithZeroAndMinusOne) {
  const auto target = [](Ints shape) {
    OnnxFile f({2, 3, 4});
    f.node("Neg", {"x"}, "h").integers("s", shape).node("Reshape", {"h", "s"}, "y");
    return shape_of(f);
  };
  EXPECT_EQ(target({0, -1}), (Shape{24}));
  EXPECT_EQ(target({-1, 24}), (Shape{24}));
  EXPECT_EQ(target({0, 0, 12}), (Shape{2, 12}));
  EXPECT_EQ(target({0, 4, -1, 2}), (Shape{4, 3, 2}));
  EXPECT_EQ(target({-1, 0, 0, 4, 1}), (Shape{2, 3, 4, 1}));
}

TEST(Reshape, BatchAxisOfOneMinusOneOrSymbolic) {
  for (const std::int64_t batch : {1, 5, -1, 0}) {
    OnnxFile f({2, 3});
    if (batch != 0) f.input_shape().mutable_dim(0)->set_dim_value(batch);
    f.node("Neg", {"x"}, "h").integers("s", {batch, 6}).node("Reshape", {"h", "s"}, "y");
    const Graph g = f.load();
    EXPECT_EQ(g.input_shape, (Shape{2, 3}));
    EXPECT_EQ(g.shape_of("y"), (Shape{6}));
    EXPECT_EQ(execute(g, counting(18), 3).size(), 18U);  // the batch stays free
  }
}

// x.view(x.size(0), -1), as PyTorch traces it.
TEST(Reshape, ToAShapeComputedFromTheInput) {
  OnnxFile f({2, 3});
  f.node("Shape", {"x"}, "s").node("Constant", {}, "i", {{"value", tensor({}, Ints{0})}});
  f.node("Gather", {"s", "i"}, "n", {{"axis", 0}}).integers("axis", {0}).integers("rest", {-1});
  f.node("Unsqueeze", {"n", "axis"}, "m").node("Concat", {"m", "rest"}, "t", {{"axis", 0}});
  f.node("Neg", {"x"}, "h").node("Reshape", {"h", "t"}, "y");
  EXPECT_EQ(shape_of(f), (Shape{6}));
}

// torch.flip: exporters write the open end of a slice that runs backwards as INT64_MIN or the number after
// it.
TEST(Slice, BackwardsToAnOpenEnd) {
  for (const auto end : {INT64_MIN, INT64_MIN + 1, std::int64_t{-1000}}) {
    OnnxFile f({2, 3});
    f.integers("s", {-1}).integers("e", {end}).integers("a", {2}).integers("t", {-1});
    f.node("Neg", {"x"}, "h").node("Slice", {"h", "s", "e", "a", "t"}, "y");
    EXPECT_EQ(execute(f.load(), counting(6), 1), (std::vector<double>{-3, -2, -1, -6, -5, -4})) << end;
  }
}

// A list of pads that is turned round inside the graph.
TEST(Slice, OfAConstantBackwardsToAnOpenEnd) {
  for (const auto end : {INT64_MIN, INT64_MIN + 1}) {
    OnnxFile f({2, 3});
    f.integers("list", {2, 3, -1})
        .integers("s", {-1})
        .integers("e", {end})
        .integers("a", {0})
        .integers("t", {-1});
    f.node("Slice", {"list", "s", "e", "a", "t"}, "target");
    f.node("Neg", {"x"}, "h").node("Reshape", {"h", "target"}, "y");
    EXPECT_EQ(shape_of(f), (Shape{3, 2})) << end;
  }
}

TEST(Reshape, ToASlicedShape) {
  OnnxFile f({2, 3, 4});
  f.node("Shape", {"x"}, "s")
      .integers("a", {0})
      .integers("b", {2})
      .integers("rest", {12})
      .integers("end", {INT64_MAX});
  f.integers("one", {1})
      .node("Slice", {"s", "a", "b"}, "n")
      .node("Slice", {"s", "b", "end", "a", "one"}, "unused");
  f.node("Concat", {"n", "rest"}, "t", {{"axis", 0}}).node("Cast", {"t"}, "u", {{"to", 7}});
  f.node("Neg", {"x"}, "h").node("Reshape", {"h", "u"}, "y");
  EXPECT_EQ(shape_of(f), (Shape{2, 12}));
}

TEST(Flatten, AtEveryAxisThatKeepsTheBatch) {
  const auto flatten = [](std::int64_t axis, Ints shape) {
    OnnxFile f(shape);
    f.node("Neg", {"x"}, "h").node("Flatten", {"h"}, "y", {{"axis", axis}});
    return shape_of(f);
  };
  EXPECT_EQ(flatten(1, {2, 3, 4}), (Shape{24}));
  EXPECT_EQ(flatten(-3, {2, 3, 4}), (Shape{24}));
  EXPECT_EQ(flatten(2, {1, 3, 4}), (Shape{12}));
  OnnxFile f({2, 3});
  f.node("Neg", {"x"}, "h").node("Flatten", {"h"}, "y");
  EXPECT_EQ(shape_of(f), (Shape{6}));
}

TEST(Squeeze, AttributeAndInputForms) {
  const auto squeeze = [](int opset, bool all) {
    OnnxFile f({3, 1, 1}, opset);
    f.node("Neg", {"x"}, "h");
    if (all)
      f.node("Squeeze", {"h"}, "y");
    else if (opset < 13)
      f.node("Squeeze", {"h"}, "y", {{"axes", Ints{2, -1}}});
    else
      f.integers("axes", {2, -1}).node("Squeeze", {"h", "axes"}, "y");
    return shape_of(f);
  };
  for (const bool all : {false, true}) {
    EXPECT_EQ(squeeze(11, all), (Shape{3}));
    EXPECT_EQ(squeeze(13, all), (Shape{3}));
  }
}

TEST(Unsqueeze, AttributeAndInputForms) {
  for (const int opset : {11, 12, 13, 17}) {
    OnnxFile f({3}, opset);
    f.node("Neg", {"x"}, "h");
    if (opset < 13)
      f.node("Unsqueeze", {"h"}, "y", {{"axes", Ints{1, -1}}});
    else
      f.integers("axes", {1, -1}).node("Unsqueeze", {"h", "axes"}, "y");
    EXPECT_EQ(shape_of(f), (Shape{1, 3, 1}));
  }
}

TEST(Transpose, RelabelsOrMoves) {
  OnnxFile relabel({4, 5, 1});  // an image as height x width x 1
  relabel.floats("w", {1, 1, 1, 1}, {2}).node("Transpose", {"x"}, "t", {{"perm", Ints{0, 3, 1, 2}}});
  relabel.node("Conv", {"t", "w"}, "y");
  EXPECT_EQ(count_of<Reshape>(relabel.load()), 1U);
  EXPECT_EQ(count_of<Transpose>(relabel.load()), 0U);
  OnnxFile move({2, 1, 3});
  move.node("Transpose", {"x"}, "y", {{"perm", Ints{0, 3, 2, 1}}});
  const Graph g = move.load();
  EXPECT_EQ(g.shape_of("y"), (Shape{3, 1, 2}));
  EXPECT_EQ(execute(g, counting(6), 1), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST(Concat, OfChannels) {
  for (const std::int64_t axis : {1, -3}) {
    OnnxFile f({1, 1, 2});
    f.node("Neg", {"x"}, "h").node("Concat", {"x", "h", "x"}, "y", {{"axis", axis}});
    const Graph g = f.load();
    EXPECT_EQ(g.shape_of("y"), (Shape{3, 1, 2}));
    EXPECT_EQ(execute(g, counting(2), 1), (std::vector<double>{1, 2, -1, -2, 1, 2}));
  }
}

TEST(Names, OfNodesAreUniqueAndNeverEmpty) {
  OnnxFile f({2});
  for (const char* out : {"a", "b", "y"}) {
    f.floats(std::string("w") + out, {2, 2}, {1, 2, 3, 4});
    f.node("MatMul",
           {out == std::string("a")   ? "x"
            : out == std::string("b") ? "a"
                                      : "b",
            std::string("w") + out},
           out, {}, "same");
  }
  f.graph().mutable_node(2)->clear_name();
  const Graph g = f.load();
  std::set<std::string> names;
  for (const auto& n : g.nodes) EXPECT_TRUE(!n.name.empty() && names.insert(n.name).second) << n.name;
  EXPECT_EQ(names.size(), 3U);
}

TEST(Opset, SixToTwentyEight) {
  for (int opset = 6; opset <= 28; ++opset) {
    OnnxFile f({2}, opset);
    f.node("Neg", {"x"}, "y");
    EXPECT_EQ(f.load().nodes.size(), 1U);
  }
}

// Old exporters list the weights among the inputs.
TEST(Inputs, MayNameTheInitialisers) {
  OnnxFile f({2});
  f.floats("w", {2, 2}, {1, 2, 3, 4}).input("w", {2}).node("MatMul", {"x", "w"}, "y");
  EXPECT_EQ(f.load().nodes.size(), 1U);
}

TEST(Unused, BranchesAreDropped) {
  OnnxFile f({2});
  f.floats("w", {2, 2}, {1, 2, 3, 4})
      .node("Relu", {"x"}, "r")
      .node("Neg", {"r"}, "q")
      .node("MatMul", {"x", "w"}, "y");
  EXPECT_EQ(f.load().nodes.size(), 1U);
}

}  // namespace
}  // namespace velum::model
