#include "model/onnx/operator_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace velum::model {

namespace {

const std::vector<OperatorEntry>& table() {
  static const std::vector<OperatorEntry> entries{
      {"Abs", Use::clear, {1, 6, 13}, ""},
      {"Acos", Use::clear, {7, 22}, ""},
      {"Acosh", Use::clear, {9, 22}, ""},
      {"Add", Use::encrypted, {1, 6, 7, 13, 14}, ""},
      {"And", Use::clear, {1, 7}, ""},
      {"ArgMax", Use::clear, {1, 11, 12, 13}, "final, or executed in the clear"},
      {"ArgMin", Use::clear, {1, 11, 12, 13}, ""},
      {"Asin", Use::clear, {7, 22}, ""},
      {"Asinh", Use::clear, {9, 22}, ""},
      {"Atan", Use::clear, {7, 22}, ""},
      {"Atanh", Use::clear, {9, 22}, ""},
      {"AveragePool", Use::encrypted, {1, 7, 10, 11, 19, 22}, "one to three spatial axes"},
      {"BatchNormalization", Use::encrypted, {1, 6, 7, 9, 14, 15}, "inference only"},
      {"Cast",
       Use::encrypted,
       {1, 6, 9, 13, 19, 21, 23, 24, 25, 28},
       "to floats; computed values to integers only where they are whole"},
      {"CastLike", Use::encrypted, {15, 19, 21, 23, 24, 25}, "as Cast"},
      {"Ceil", Use::clear, {1, 6, 13}, ""},
      {"Celu", Use::clear, {12, 28}, ""},
      {"Clip", Use::clear, {1, 6, 11, 12, 13}, ""},
      {"Concat", Use::encrypted, {1, 4, 11, 13}, "not along the batch axis"},
      {"Constant",
       Use::constants,
       {1, 9, 11, 12, 13, 19, 21, 23, 24, 25},
       "numbers; no sparse values or texts"},
      {"ConstantOfShape", Use::constants, {9, 20, 21, 23, 24, 25}, ""},
      {"Conv", Use::encrypted, {1, 11, 22}, "one or two spatial axes; constant weights"},
      {"ConvTranspose", Use::encrypted, {1, 11, 22}, "one or two spatial axes; constant weights"},
      {"Cos", Use::clear, {7, 22}, ""},
      {"Cosh", Use::clear, {9, 22}, ""},
      {"CumSum", Use::encrypted, {11, 14}, "constant axis, not along the batch axis"},
      {"DepthToSpace", Use::encrypted, {1, 11, 13, 28}, ""},
      {"DequantizeLinear", Use::constants, {10, 13, 19, 21, 23, 24, 25, 28}, "of weights; not in blocks"},
      {"Div", Use::encrypted, {1, 6, 7, 13, 14}, "by a constant; by computed values in the clear only"},
      {"Dropout", Use::encrypted, {1, 6, 7, 10, 12, 13, 22}, "inference only"},
      {"Einsum", Use::encrypted, {12, 28}, "one constant, or one input; no ellipsis"},
      {"Elu", Use::clear, {1, 6, 22}, ""},
      {"Equal", Use::clear, {1, 7, 11, 13, 19}, ""},
      {"Erf", Use::clear, {9, 13}, ""},
      {"Exp", Use::clear, {1, 6, 13}, ""},
      {"Expand", Use::encrypted, {8, 13}, "not along the batch axis"},
      {"EyeLike", Use::constants, {9, 22}, "of a shape that does not depend on the number of images"},
      {"Flatten", Use::encrypted, {1, 9, 11, 13, 21, 23, 24, 25}, ""},
      {"Floor", Use::clear, {1, 6, 13}, ""},
      {"Gather", Use::encrypted, {1, 11, 13}, "constant indices"},
      {"GatherElements", Use::encrypted, {11, 13}, "constant indices"},
      {"GatherND", Use::encrypted, {11, 12, 13}, "constant indices"},
      {"Gelu", Use::clear, {20}, ""},
      {"Gemm", Use::encrypted, {1, 6, 7, 9, 11, 13}, "constant matrix; transA = 0"},
      {"GlobalAveragePool", Use::encrypted, {1, 22}, "one to three spatial axes"},
      {"GlobalMaxPool", Use::clear, {1, 22}, "one to three spatial axes"},
      {"Greater", Use::clear, {1, 7, 9, 13}, ""},
      {"GreaterOrEqual", Use::clear, {12, 16}, ""},
      {"GroupNormalization", Use::clear, {18, 21}, ""},
      {"Hardmax", Use::clear, {1, 11, 13}, "final, or executed in the clear"},
      {"HardSigmoid", Use::clear, {1, 6, 22}, ""},
      {"HardSwish", Use::clear, {14, 22}, ""},
      {"Identity", Use::encrypted, {1, 13, 14, 16, 19, 21, 23, 24, 25}, ""},
      {"If", Use::encrypted, {1, 11, 13, 16, 19, 21, 23, 24, 25}, "on a constant"},
      {"InstanceNormalization", Use::clear, {1, 6, 22}, ""},
      {"LayerNormalization", Use::clear, {17}, ""},
      {"LeakyRelu", Use::clear, {1, 6, 16}, ""},
      {"Less", Use::clear, {1, 7, 9, 13}, ""},
      {"LessOrEqual", Use::clear, {12, 16}, ""},
      {"Log", Use::clear, {1, 6, 13}, ""},
      {"LogSoftmax", Use::clear, {1, 11, 13}, "final, or executed in the clear"},
      {"LRN", Use::clear, {1, 13}, ""},
      {"MatMul", Use::encrypted, {1, 9, 13}, "one of the two constant"},
      {"Max", Use::clear, {1, 6, 8, 12, 13}, ""},
      {"MaxPool", Use::clear, {1, 8, 10, 11, 12, 22}, "one to three spatial axes"},
      {"Mean", Use::encrypted, {1, 6, 8, 13}, ""},
      {"MeanVarianceNormalization", Use::clear, {9, 13}, "not along the batch axis"},
      {"Min", Use::clear, {1, 6, 8, 12, 13}, ""},
      {"Mish", Use::clear, {18, 22}, ""},
      {"Mod", Use::constants, {10, 13, 28}, "of integers"},
      {"Mul", Use::encrypted, {1, 6, 7, 13, 14}, ""},
      {"Neg", Use::encrypted, {1, 6, 13}, ""},
      {"Not", Use::clear, {1}, ""},
      {"Or", Use::clear, {1, 7}, ""},
      {"Pad", Use::encrypted, {1, 2, 11, 13, 18, 19, 21, 23, 24, 25}, "not along the batch axis"},
      {"Pow", Use::encrypted, {1, 7, 12, 13, 15}, "whole exponents from 1 to 64; others in the clear only"},
      {"PRelu", Use::clear, {1, 6, 7, 9, 16}, ""},
      {"QuantizeLinear", Use::constants, {10, 13, 19, 21, 23, 24, 25, 28}, "of weights; not in blocks"},
      {"Range", Use::constants, {11, 27}, ""},
      {"Reciprocal", Use::clear, {1, 6, 13}, ""},
      {"ReduceL1", Use::clear, {1, 11, 13, 18}, "not along the batch axis"},
      {"ReduceL2", Use::clear, {1, 11, 13, 18}, "not along the batch axis"},
      {"ReduceLogSum", Use::clear, {1, 11, 13, 18}, "not along the batch axis"},
      {"ReduceLogSumExp", Use::clear, {1, 11, 13, 18}, "not along the batch axis"},
      {"ReduceMax", Use::clear, {1, 11, 12, 13, 18, 20}, "not along the batch axis"},
      {"ReduceMean", Use::encrypted, {1, 11, 13, 18}, "not along the batch axis"},
      {"ReduceMin", Use::clear, {1, 11, 12, 13, 18, 20}, "not along the batch axis"},
      {"ReduceProd", Use::clear, {1, 11, 13, 18}, "not along the batch axis"},
      {"ReduceSum", Use::encrypted, {1, 11, 13}, "not along the batch axis"},
      {"ReduceSumSquare", Use::encrypted, {1, 11, 13, 18}, "not along the batch axis"},
      {"Relu", Use::clear, {1, 6, 13, 14}, ""},
      {"Reshape", Use::encrypted, {1, 5, 13, 14, 19, 21, 23, 24, 25}, "the batch axis stays whole"},
      {"Resize",
       Use::encrypted,
       {10, 11, 13, 18, 19},
       "nearest, linear and cubic; no tf_crop_and_resize; keep_aspect_ratio_policy stretch"},
      {"RMSNormalization", Use::clear, {23}, ""},
      {"Round", Use::clear, {11, 22}, ""},
      {"ScatterElements", Use::encrypted, {11, 13, 16, 18}, "constant indices; no reduction"},
      {"ScatterND", Use::encrypted, {11, 13, 16, 18}, "constant indices; no reduction"},
      {"Selu", Use::clear, {1, 6, 22}, ""},
      {"Shape", Use::constants, {1, 13, 15, 19, 21, 23, 24, 25}, ""},
      {"Shrink", Use::clear, {9}, ""},
      {"Sigmoid", Use::clear, {1, 6, 13}, "final, or executed in the clear"},
      {"Sign", Use::clear, {9, 13}, ""},
      {"Sin", Use::clear, {7, 22}, ""},
      {"Sinh", Use::clear, {9, 22}, ""},
      {"Size", Use::constants, {1, 13, 19, 21, 23, 24, 25}, ""},
      {"Slice", Use::encrypted, {1, 10, 11, 13}, "not along the batch axis"},
      {"Softmax", Use::clear, {1, 11, 13}, "final, or executed in the clear"},
      {"Softplus", Use::clear, {1, 22}, ""},
      {"Softsign", Use::clear, {1, 22}, ""},
      {"SpaceToDepth", Use::encrypted, {1, 13, 28}, ""},
      {"Split", Use::encrypted, {1, 2, 11, 13, 18}, "not along the batch axis"},
      {"Sqrt", Use::clear, {1, 6, 13}, ""},
      {"Squeeze", Use::encrypted, {1, 11, 13, 21, 23, 24, 25}, ""},
      {"Sub", Use::encrypted, {1, 6, 7, 13, 14}, ""},
      {"Sum", Use::encrypted, {1, 6, 8, 13}, ""},
      {"Swish", Use::clear, {24}, ""},
      {"Tan", Use::clear, {7, 22}, ""},
      {"Tanh", Use::clear, {1, 6, 13}, ""},
      {"ThresholdedRelu", Use::clear, {10, 22}, ""},
      {"Tile", Use::encrypted, {1, 6, 13}, "not along the batch axis"},
      {"Transpose", Use::encrypted, {1, 13, 21, 23, 24, 25}, ""},
      {"Trilu", Use::encrypted, {14}, "not of the batch axis"},
      {"Unsqueeze", Use::encrypted, {1, 11, 13, 21, 23, 24, 25}, ""},
      {"Upsample", Use::encrypted, {1, 7, 9, 10}, "nearest and linear"},
      {"Where", Use::clear, {9, 16}, ""},
      {"Xor", Use::clear, {1, 7}, ""},
  };
  return entries;
}

// The newest definition that a file of this opset may mean; 0: none.
int in_force(const OperatorEntry& e, std::int64_t opset) {
  int newest = 0;
  for (const int d : e.definitions)
    if (d <= opset) newest = std::max(newest, d);
  return newest;
}

std::string_view name(Use use) {
  return use == Use::encrypted ? "encrypted" : use == Use::clear ? "clear only" : "constants only";
}

// What to do about operators that a network for encrypted inference has no use for.
std::string remedy(const std::string& op, WrittenBy by) {
  constexpr std::array quantised{"QLinearConv", "QLinearMatMul", "DynamicQuantizeLinear",
                                 "ConvInteger", "MatMulInteger", "DequantizeLinear"};
  constexpr std::array recurrent{"LSTM", "GRU", "RNN", "Loop", "Scan"};
  if (std::find(quantised.begin(), quantised.end(), op) != quantised.end())
    return "which rounds activations to integers: export the network before it is quantised";
  if (std::find(recurrent.begin(), recurrent.end(), op) != recurrent.end())
    return "which runs through steps: networks for images have none";
  if (op == "StatefulPartitionedCall" || op == "PartitionedCall")
    return "a function that the exporter could not write as ONNX: replace that layer in Keras, or export "
           "through PyTorch";
  return fmt::format("which Velum does not support: docs/operators.md lists those that it does{}",
                     other_exporter(by));
}

}  // namespace

std::span<const OperatorEntry> operator_table() {
  return table();
}

const OperatorEntry* find_operator(std::string_view op) {
  const auto it =
      std::find_if(table().begin(), table().end(), [&](const OperatorEntry& e) { return e.op == op; });
  return it == table().end() ? nullptr : &*it;
}

std::string_view other_exporter(WrittenBy by) {
  return by == WrittenBy::pytorch_dynamo
             ? "; PyTorch may write it as others with torch.onnx.export(..., dynamo=False)"
             : "";
}

void check_operator(const std::string& op, std::int64_t opset, WrittenBy by) {
  const auto* e = find_operator(op);
  if (!e) fail_user("is {}, {}", op, remedy(op, by));
  const int definition = in_force(*e, opset);
  if (definition == 0)
    fail_user("is {}, which opset {} does not have (since opset {})", op, opset, e->definitions[0]);
  if (definition > last_opset)
    fail_user(
        "is {} as opset {} defines it, Velum reads the definitions up to opset {}: export it with "
        "opset_version={}",
        op, definition, last_opset, last_opset);
}

std::string operators_markdown() {
  std::string text = fmt::format(
      "# Operators of ONNX\n\n"
      "What `velum` reads of an ONNX file, operator by operator. This page is written by the program (the "
      "test\n"
      "`OperatorTable.IsTheDocumentation` holds it): change `src/model/onnx/operator_table.cpp`.\n\n"
      "- Files of the opsets {} to {} are read, each operator by the definition in force there. A file of "
      "opset {} to {} "
      "is read when\n  none of its operators changed after opset {}; otherwise that node is named.\n"
      "- IR versions up to 14, weights in the file or in files beside it (inside the same folder), local "
      "functions, inputs "
      "and weights of\n  FLOAT, DOUBLE, FLOAT16, BFLOAT16, and integers where they are cast. Unused "
      "initialisers are "
      "ignored.\n"
      "- *encrypted*: an affine map or a polynomial, so that `velum plan` takes it. *clear only*: `velum "
      "eval` executes "
      "it, and\n  `velum plan` names it; `velum train --from` replaces Relu and MaxPool. *constants only*: "
      "evaluated while "
      "the file is read, as\n  arithmetic, activations and what moves elements are too where all their "
      "inputs are "
      "constants.\n"
      "- The batch axis may be free, fixed or absent. No operator may mix the images of a batch; a file of "
      "one image "
      "(batch fixed to 1)\n  may use that axis as it likes.\n\n"
      "| operator | definitions of opsets | use | limits |\n|---|---|---|---|\n",
      first_opset, last_opset, last_opset + 1, newest_opset, last_opset);
  for (const auto& e : table()) {
    std::vector<int> read;
    for (const int d : e.definitions)
      if (d <= last_opset && (d >= first_opset || in_force(e, first_opset) == d)) read.push_back(d);
    text += fmt::format("| {} | {} | {} | {} |\n", e.op, fmt::join(read, ", "), name(e.use), e.limits);
  }
  text +=
      "\nPolynomials of any degree are planned in whatever algebraic form they are written: squares, cubes, "
      "`Pow` with a\n"
      "whole exponent, products of branches. A product of two different branches u v is computed as\n"
      "((u + v)^2 - (u - v)^2) / 4, two squares where a square is one. `velum train` fits quadratics "
      "only.\n\n"
      "A final Softmax, LogSoftmax, Hardmax, ArgMax or Sigmoid, with the Squeeze, Reshape, Log or Clip "
      "behind it, is left\n"
      "to the client: it changes no prediction. A Softmax along another axis than the classes' is not.\n";
  return text;
}

}  // namespace velum::model
