// Files that must be refused: one clear error of the user's kind, naming the file, the node and what is
// wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal(const std::vector<std::uint8_t>& bytes) {
  ::testing::internal::CaptureStderr();
  std::string message = "(accepted)";
  try {
    load_onnx(bytes, "test.onnx");
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    message = e.what();
    EXPECT_THAT(message, HasSubstr("test.onnx: "));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");  // the parser says nothing of its own
  return message;
}
std::string refusal(OnnxFile& f) {
  return refusal(f.bytes());
}

OnnxFile small() {
  OnnxFile f({2});
  f.floats("w", {2, 2}, {1, 2, 3, 4}).node("MatMul", {"x", "w"}, "y");
  return f;
}

TEST(RefuseFile, NotOnnx) {
  EXPECT_THAT(refusal(std::vector<std::uint8_t>{}), HasSubstr("no graph"));
  EXPECT_THAT(refusal({'P', 'K', 3, 4, 20, 0, 0, 0}), HasSubstr("not an ONNX file"));
  const std::string text = "this is a text about networks, not a network";
  EXPECT_THAT(refusal({text.begin(), text.end()}), HasSubstr("not an ONNX file"));
}

TEST(RefuseFile, TruncatedAnywhere) {
  OnnxFile f = small();
  const auto bytes = f.bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto message =
        refusal(std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)));
    EXPECT_THAT(message, HasSubstr("ONNX")) << n;
  }
}

// A flipped bit gives another network or a refusal, never anything else.
TEST(RefuseFile, FlippedBits) {
  OnnxFile f({1, 3, 3});
  f.floats("w", {2, 1, 2, 2}, random_values(8)).node("Conv", {"x", "w"}, "h", {{"pads", Ints{1, 0, 0, 1}}});
  f.node("Mul", {"h", "h"}, "y");
  auto bytes = f.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= static_cast<std::uint8_t>(1 << bit);
      try {
        load_onnx(bytes, "test.onnx");
      } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::user);
      }
      bytes[i] ^= static_cast<std::uint8_t>(1 << bit);
    }
}

TEST(RefuseFile, MissingFileIsNamed) {
  try {
    load_onnx(std::string("/nonexistent/model.onnx"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("/nonexistent/model.onnx"));
  }
}

// Another exporter is advised only to those who have one: a file of PyTorch's newer exporter, by its producer
// and the names of its nodes.
TEST(RefuseFile, AdvisesTheOtherExporterWhereThereIsOne) {
  const auto message = [](const char* producer, const char* node, const char* domain) {
    OnnxFile f({2});
    f.node("Frobnicate", {"x"}, "y", {}, node);
    f.proto.set_producer_name(producer);
    f.graph().mutable_node(0)->set_domain(domain);
    return refusal(f);
  };
  EXPECT_THAT(message("pytorch", "node_frobnicate_1", ""), HasSubstr("dynamo=False"));
  EXPECT_THAT(message("pytorch", "node_frobnicate_1", "pkg.custom"), HasSubstr("dynamo=False"));
  for (const auto* domain : {"", "pkg.custom"}) {
    EXPECT_THAT(message("pytorch", "/odd/Frobnicate", domain), Not(HasSubstr("dynamo")));
    EXPECT_THAT(message("pytorch", "Frobnicate_0", domain), Not(HasSubstr("dynamo")));
    EXPECT_THAT(message("tf2onnx", "node_frobnicate_1", domain), Not(HasSubstr("dynamo")));
  }
}

TEST(RefuseFile, Opsets) {
  for (const int opset : {1, 5, 29, 100}) {
    OnnxFile f = small();
    f.proto.mutable_opset_import(0)->set_version(opset);
    EXPECT_THAT(refusal(f), AllOf(HasSubstr(fmt::format("opset {},", opset)), HasSubstr("6 to 25")));
  }
  // Newer than what is read, and only one operator changed since.
  OnnxFile newer({4, 2, 2}, 28);
  newer.node("Neg", {"x"}, "h").node("DepthToSpace", {"h"}, "y", {{"blocksize", 2}}, "late");
  EXPECT_THAT(refusal(newer), AllOf(HasSubstr("node 'late'"), HasSubstr("opset 28")));
  OnnxFile newest({2}, 13);
  newest.node("Neg", {"x"}, "y").proto.set_ir_version(99);
  EXPECT_THAT(refusal(newest), HasSubstr("IR version 99"));
  OnnxFile f = small();
  f.proto.clear_opset_import();
  EXPECT_THAT(refusal(f), HasSubstr("no ONNX opset"));
}

struct Case {
  const char* name;
  std::function<void(OnnxFile&)> write;
  std::vector<std::string> message;  // every part must be there
  Ints input{1, 4, 4};
  int opset = 13;
};

onnx::TensorProto& add_weight(OnnxFile& f, const Ints& dims, const Floats& values) {
  f.floats("w", dims, values);
  return *f.graph().mutable_initializer(f.graph().initializer_size() - 1);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"external_data",
       [](OnnxFile& f) {
         add_weight(f, {16, 2}, Floats(32)).set_data_location(onnx::TensorProto::EXTERNAL);
         f.node("MatMul", {"x", "w"}, "y");
       },
       {"initialiser 'w'", "external data", "one file", "external_data=False"},
       {16}},
      {"external_data_of_a_constant",
       [](OnnxFile& f) {
         auto t = tensor({1}, Floats{1});
         t.add_external_data()->set_key("location");
         f.node("Constant", {}, "c", {{"value", t}}).node("Add", {"x", "c"}, "y");
       },
       {"node 'node_c' (Constant)", "external data"}},
      {"open_height",
       [](OnnxFile& f) {
         f.input_shape().mutable_dim(2)->set_dim_param("height");
         f.node("Relu", {"x"}, "y");
       },
       {"input 'x'", "axis 2", "height", "--shape"}},
      {"no_shape",
       [](OnnxFile& f) {
         f.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
         f.node("Relu", {"x"}, "y");
       },
       {"input 'x'", "no shape"}},
      {"negative_axis",
       [](OnnxFile& f) {
         f.input_shape().mutable_dim(1)->set_dim_value(-5);
         f.node("Relu", {"x"}, "y");
       },
       {"input 'x'", "-5"}},
      {"huge_input",
       [](OnnxFile& f) {
         f.input_shape().mutable_dim(1)->set_dim_value(std::int64_t{1} << 62);
         f.node("Relu", {"x"}, "y");
       },
       {"elements"}},
      {"no_batch_axis", [](OnnxFile& f) { f.node("Relu", {"x"}, "y"); }, {"batch axis"}, {}},
      {"input_of_texts",
       [](OnnxFile& f) {
         f.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
             onnx::TensorProto::STRING);
         f.node("Relu", {"x"}, "y");
       },
       {"input 'x'", "STRING", "floats"}},
      {"two_inputs",
       [](OnnxFile& f) {
         f.input("z", {1, 4, 4}).node("Add", {"x", "z"}, "y");
       },
       {"2 inputs", "x, z"}},
      {"output_nobody_makes",
       [](OnnxFile& f) {
         f.node("Neg", {"x"}, "y");
         f.graph().add_output()->set_name("other");
       },
       {"output 'other'"}},
      {"missing_initialiser",
       [](OnnxFile& f) {
         f.node("Conv", {"x", "w"}, "y", {}, "conv1");
       },
       {"node 'conv1' (Conv)", "'w'", "initialiser"}},
      {"unknown_operator",
       [](OnnxFile& f) { f.node("LSTM", {"x"}, "y", {}, "memory"); },
       {"node 'memory' (LSTM)", "networks for images"}},
      {"operator_of_nobody",
       [](OnnxFile& f) { f.node("Frobnicate", {"x"}, "y", {}, "odd"); },
       {"node 'odd' (Frobnicate)", "not support", "docs/operators.md"}},
      {"quantised_operator",
       [](OnnxFile& f) { f.node("QLinearConv", {"x"}, "y"); },
       {"QLinearConv", "before it is quantised"}},
      {"quantised_activations",
       [](OnnxFile& f) {
         f.floats("s", {}, {0.5F}).node("QuantizeLinear", {"x", "s"}, "y");
       },
       {"QuantizeLinear", "before it is quantised"}},
      {"several_at_once",
       [](OnnxFile& f) {
         f.node("LSTM", {"x"}, "a", {}, "one")
             .node("Relu", {"x"}, "b")
             .node("NonMaxSuppression", {"b"}, "c", {}, "two");
         f.node("Add", {"a", "c"}, "y", {}, "behind");
       },
       {"2 nodes cannot be read", "'one' (LSTM)", "'two' (NonMaxSuppression)"}},
      {"other_domain",
       [](OnnxFile& f) {
         f.node("Gelu", {"x"}, "y");
         f.graph().mutable_node(0)->set_domain("com.microsoft");
       },
       {"com.microsoft"}},
      {"unknown_attribute",
       [](OnnxFile& f) {
         f.node("Flatten", {"x"}, "y", {{"fancy", 3}});
       },
       {"(Flatten)", "'fancy'"}},
      {"attribute_of_wrong_type",
       [](OnnxFile& f) {
         f.node("Flatten", {"x"}, "y", {{"axis", 1.0}});
       },
       {"'axis'", "FLOAT", "INT"}},
      {"attribute_twice",
       [](OnnxFile& f) {
         f.node("Flatten", {"x"}, "y", {{"axis", 1}, {"axis", 1}});
       },
       {"'axis' twice"}},
      {"half_weights",
       [](OnnxFile& f) {
         add_weight(f, {16, 1}, Floats(16)).set_data_type(onnx::TensorProto::FLOAT16);
         f.node("MatMul", {"x", "w"}, "y");
       },
       {"initialiser 'w'", "64 bytes", "16 values of 2"},
       {16}},
      {"quantised_weights",
       [](OnnxFile& f) {
         add_weight(f, {16, 1}, Floats(4)).set_data_type(onnx::TensorProto::INT8);
         f.node("MatMul", {"x", "w"}, "y");
       },
       {"'w' of integers"},
       {16}},
      {"nan_weight",
       [](OnnxFile& f) {
         f.floats("w", {2}, {1, std::nanf("")}).node("Add", {"x", "w"}, "y");
       },
       {"initialiser 'w'", "nan", "position 1"}},
      {"infinite_weight",
       [](OnnxFile& f) {
         f.floats("w", {}, {std::numeric_limits<float>::infinity()}).node("Add", {"x", "w"}, "y");
       },
       {"initialiser 'w'", "inf"}},
      {"overflow_when_folded",
       [](OnnxFile& f) {
         f.floats("w", {}, {3e38F}).node("Mul", {"x", "w"}, "h").node("Mul", {"h", "w"}, "y");
       },
       {"not finite"}},
      {"too_little_data",
       [](OnnxFile& f) {
         f.floats("w", {1000000, 1000000}, {1, 2}).node("Add", {"x", "w"}, "y");
       },
       {"initialiser 'w'", "8 bytes"}},
      {"overflowing_dims",
       [](OnnxFile& f) {
         f.floats("w", {std::int64_t{1} << 40, std::int64_t{1} << 40}, {1}).node("Add", {"x", "w"}, "y");
       },
       {"initialiser 'w'", "not possible"}},
      {"negative_dims",
       [](OnnxFile& f) {
         f.floats("w", {-1, -1}, {1}).node("Add", {"x", "w"}, "y");
       },
       {"initialiser 'w'", "-1x-1"}},
      {"folding_bomb",
       [](OnnxFile& f) {
         f.integers("s", {1 << 15, 1 << 15}).node("ConstantOfShape", {"s"}, "c").node("Add", {"x", "c"}, "y");
       },
       {"(ConstantOfShape)", "elements"}},
      {"broadcast_bomb",
       [](OnnxFile& f) {
         f.floats("u", {8192, 1}, Floats(8192))
             .floats("v", {8192}, Floats(8192))
             .node("Add", {"u", "v"}, "c");
         f.node("Add", {"x", "c"}, "y");
       },
       {"(Add)", "elements"}},
      {"initialiser_twice",
       [](OnnxFile& f) {
         f.floats("w", {}, {1}).floats("w", {}, {1}).node("Add", {"x", "w"}, "y");
       },
       {"initialiser 'w'"}},
      {"tensor_twice", [](OnnxFile& f) { f.node("Neg", {"x"}, "y").node("Neg", {"x"}, "y"); }, {"'y' twice"}},
      {"sparse",
       [](OnnxFile& f) {
         f.node("Add", {"x", "w"}, "y");
         f.graph().add_sparse_initializer()->mutable_values()->set_name("w");
       },
       {"sparse"}},
      {"no_layer", [](OnnxFile& f) { f.node("Identity", {"x"}, "y"); }, {"no layer"}},
      {"only_a_softmax", [](OnnxFile& f) { f.node("Softmax", {"x"}, "y"); }, {"no layer"}, {4}},
      {"only_constants",
       [](OnnxFile& f) { f.floats("w", {}, {1}).node("Neg", {"w"}, "y"); },
       {"output 'y'", "does not depend"}},
      {"divide_by_zero",
       [](OnnxFile& f) {
         f.floats("w", {}, {0}).node("Div", {"x", "w"}, "y");
       },
       {"zero"}},
      {"constant_enlarges",
       [](OnnxFile& f) {
         f.floats("w", {2, 1, 4, 4}, Floats(32)).node("Add", {"x", "w"}, "y");
       },
       {"2x1x4x4", "would mix"}},
      {"conv_channels",
       [](OnnxFile& f) {
         f.floats("w", {1, 3, 1, 1}, Floats(3)).node("Conv", {"x", "w"}, "y");
       },
       {"(Conv)", "1x3x1x1", "1x4x4"}},
      {"conv_kernel_shape",
       [](OnnxFile& f) {
         f.floats("w", {1, 1, 2, 2}, Floats(4)).node("Conv", {"x", "w"}, "y", {{"kernel_shape", Ints{3, 3}}});
       },
       {"kernel_shape (3,3)"}},
      {"conv_negative_pads",
       [](OnnxFile& f) {
         f.floats("w", {1, 1, 2, 2}, Floats(4)).node("Conv", {"x", "w"}, "y", {{"pads", Ints{-1, 0, 0, 0}}});
       },
       {"pads (-1,0,0,0)"}},
      {"conv_zero_stride",
       [](OnnxFile& f) {
         f.floats("w", {1, 1, 2, 2}, Floats(4)).node("Conv", {"x", "w"}, "y", {{"strides", Ints{0, 1}}});
       },
       {"strides (0,1)"}},
      {"conv_of_three_axes",
       [](OnnxFile& f) {
         f.floats("w", {1, 1, 2}, Floats(2)).node("Conv", {"x", "w"}, "y");
       },
       {"two spatial axes"}},
      {"conv_with_computed_weights",
       [](OnnxFile& f) {
         f.node("Conv", {"x", "x"}, "y");
       },
       {"weights 'x'", "constant"}},
      {"conv_auto_pad_and_pads",
       [](OnnxFile& f) {
         f.floats("w", {1, 1, 2, 2}, Floats(4));
         f.node("Conv", {"x", "w"}, "y", {{"auto_pad", "SAME_UPPER"}, {"pads", Ints{1, 1, 1, 1}}});
       },
       {"auto_pad"}},
      {"kernel_too_large",
       [](OnnxFile& f) {
         f.floats("w", {1, 1, 5, 5}, Floats(25)).node("Conv", {"x", "w"}, "y");
       },
       {"window of 5"}},
      {"gemm_transposed_images",
       [](OnnxFile& f) {
         f.floats("w", {16, 1}, Floats(16)).node("Gemm", {"x", "w"}, "y", {{"transA", 1}});
       },
       {"transA"},
       {16}},
      {"matmul_from_the_left",
       [](OnnxFile& f) {
         f.floats("w", {3, 16}, Floats(48)).node("MatMul", {"w", "x"}, "y");
       },
       {"batch axis", "mix the images"},
       {16}},
      {"matmul_of_branches",
       [](OnnxFile& f) {
         f.node("MatMul", {"x", "x"}, "y");
       },
       {"two matrices"},
       {4, 4}},
      {"matmul_sizes",
       [](OnnxFile& f) {
         f.floats("w", {15, 2}, Floats(30)).node("MatMul", {"x", "w"}, "y");
       },
       {"16 features", "15 rows"},
       {16}},
      {"batch_norm_in_training",
       [](OnnxFile& f) {
         f.floats("w", {1}, {1})
             .node("BatchNormalization", {"x", "w", "w", "w", "w"}, "y", {{"training_mode", 1}});
       },
       {"training"}},
      {"batch_norm_variance",
       [](OnnxFile& f) {
         f.floats("w", {1}, {-1}).node("BatchNormalization", {"x", "w", "w", "w", "w"}, "y");
       },
       {"variance -1"}},
      {"batch_norm_channels",
       [](OnnxFile& f) {
         f.floats("w", {2}, {1, 1}).node("BatchNormalization", {"x", "w", "w", "w", "w"}, "y");
       },
       {"2 values for 1 channels"}},
      {"dropout_in_training",
       [](OnnxFile& f) {
         f.floats("r", {}, {0.5})
             .integers("t", {1})
             .node("Dropout", {"x", "r", "t"}, "h")
             .node("Neg", {"h"}, "y");
       },
       {"training"}},
      {"pool_without_kernel", [](OnnxFile& f) { f.node("AveragePool", {"x"}, "y"); }, {"kernel_shape"}},
      {"reduce_mean_of_everything", [](OnnxFile& f) { f.node("ReduceMean", {"x"}, "y"); }, {"batch axis"}},
      {"pad_of_the_batch",
       [](OnnxFile& f) {
         f.integers("p", {1, 0, 0, 0, 0, 0, 0, 0}).node("Pad", {"x", "p"}, "y");
       },
       {"batch axis"}},
      {"reshape_of_the_batch",
       [](OnnxFile& f) {
         f.integers("s", {4, 4}).node("Reshape", {"x", "s"}, "y");
       },
       {"batch axis"}},
      {"reshape_to_other_size",
       [](OnnxFile& f) {
         f.integers("s", {0, 15}).node("Reshape", {"x", "s"}, "y");
       },
       {"16 elements"}},
      {"reshape_with_two_open",
       [](OnnxFile& f) {
         f.integers("s", {-1, -1}).node("Reshape", {"x", "s"}, "y");
       },
       {"mix the images"}},
      {"reshape_by_a_computed_tensor",
       [](OnnxFile& f) {
         f.node("Reshape", {"x", "x"}, "y");
       },
       {"shape 'x'"}},
      {"flatten_of_the_batch",
       [](OnnxFile& f) {
         f.node("Flatten", {"x"}, "y", {{"axis", 0}});
       },
       {"batch"}},
      {"squeeze_of_the_batch",
       [](OnnxFile& f) {
         f.node("Squeeze", {"x"}, "y", {{"axes", Ints{0}}});
       },
       {"batch axis"},
       {1, 4, 4},
       11},
      {"squeeze_of_a_long_axis",
       [](OnnxFile& f) {
         f.node("Squeeze", {"x"}, "y", {{"axes", Ints{2}}});
       },
       {"axis 2"},
       {1, 4, 4},
       11},
      {"transpose_of_other_axes",
       [](OnnxFile& f) {
         f.node("Transpose", {"x"}, "y", {{"perm", Ints{0, 1}}});
       },
       {"permutes"}},
      {"cast_to_integer",
       [](OnnxFile& f) {
         f.node("Cast", {"x"}, "y", {{"to", 7}});
       },
       {"INT64"}},
      {"second_output_used",
       [](OnnxFile& f) {
         f.node("Dropout", {"x"}, "h").graph().mutable_node(0)->add_output("mask");
         f.node("Neg", {"mask"}, "y");
       },
       {"mask"}},
      {"bad_range",
       [](OnnxFile& f) {
         f.node("Neg", {"x"}, "y");
         auto* p = f.proto.add_metadata_props();
         p->set_key("velum.range.y");
         p->set_value("1 -1 0");
       },
       {"velum.range.y", "low <= high"}},
  };
  return all;
}

class RefuseNetwork : public ::testing::TestWithParam<std::size_t> {};

TEST_P(RefuseNetwork, WithAClearMessage) {
  const Case& c = cases()[GetParam()];
  OnnxFile f(c.input, c.opset);
  c.write(f);
  const auto message = refusal(f);
  for (const auto& part : c.message) EXPECT_THAT(message, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(All, RefuseNetwork, ::testing::Range<std::size_t>(0, cases().size()),
                         [](const auto& test) { return std::string(cases()[test.param].name); });

}  // namespace
}  // namespace velum::model
