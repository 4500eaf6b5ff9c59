// Add, Sub, Mul, Div, Neg, Pow, Sum, activations, and operators that do nothing at inference.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "model/onnx_import.h"

namespace velum::model {

namespace {

// A constant beside a tensor {N} + shape, right-aligned as ONNX broadcasts. It may not enlarge the tensor.
struct Aligned {
  Shape dims;  // empty: a scalar
  const std::vector<double>& values;
};

Aligned align(const Constant& c, const Shape& shape) {
  if (c.floats.empty()) fail_user("combines a tensor with an empty constant");
  bool fits = c.dims.size() <= shape.size() + 1;
  if (fits && c.dims.size() == shape.size() + 1)
    fits = c.dims[0] == 1;  // one value for every image of the batch
  Shape dims(shape.size(), 1);
  for (std::size_t i = 0; fits && i < std::min(shape.size(), c.dims.size()); ++i) {
    const auto d = c.dims[c.dims.size() - 1 - i];
    dims[shape.size() - 1 - i] = d;
    fits = d == 1 || d == shape[shape.size() - 1 - i];
  }
  if (!fits)
    fail_user(
        "combines a tensor {} (batch axis left out) with a constant of shape {}, which does not broadcast to "
        "it",
        to_string(shape), fmt::join(c.dims, "x"));
  if (c.floats.size() == 1) dims.clear();
  return {dims, c.floats};
}

template <typename F>
Coefficients coefficients(const Aligned& a, F f) {
  Coefficients c{a.dims, {}};
  c.values.reserve(a.values.size());
  for (const double v : a.values) c.values.push_back(static_cast<float>(f(v)));
  return c;
}

Coefficients scalar(double v) {
  return {{}, {static_cast<float>(v)}};
}

void with_constant(Call& call, int constant_input) {
  const int tensor_input = 1 - constant_input;
  const std::string& op = call.op();
  const Aligned c = align(call.weights(constant_input, "constant"), call.shape(tensor_input));
  const auto same = [](double v) { return v; };
  ScaleShift s{scalar(1), scalar(0)};
  if (op == "Add") {
    s.shift = coefficients(c, same);
  } else if (op == "Sub") {
    if (constant_input == 1) {
      s.shift = coefficients(c, [](double v) { return -v; });
    } else {
      s.scale = scalar(-1);
      s.shift = coefficients(c, same);
    }
  } else if (op == "Mul") {
    s.scale = coefficients(c, same);
  } else {
    if (constant_input == 0)
      fail_user("divides by a value computed from the images, which is not polynomial");
    if (std::find(c.values.begin(), c.values.end(), 0.0) != c.values.end()) fail_user("divides by zero");
    s.scale = coefficients(c, [](double v) { return 1 / v; });
  }
  call.finish(std::move(s), {call.tensor(tensor_input)});
}

void arithmetic(Call& call) {
  call.expect_inputs(2, 2);
  const std::string& op = call.op();
  if (call.is_constant(0) || call.is_constant(1)) {
    with_constant(call, call.is_constant(0) ? 0 : 1);
    return;
  }
  const auto &x = call.tensor(0), &y = call.tensor(1);
  if (op == "Add")
    call.finish(Combine{{1, 1}}, {x, y});
  else if (op == "Sub")
    call.finish(Combine{{1, -1}}, {x, y});
  else if (op == "Mul")
    call.finish(Multiply{}, {x, y});
  else
    fail_user("divides by a value computed from the images, which is not polynomial");
}

void sum(Call& call) {
  call.expect_inputs(1, 1 << 16);
  std::vector<std::string> inputs;
  for (int i = 0; i < call.input_count(); ++i) inputs.push_back(call.tensor(i));
  const std::vector<double> ones(inputs.size(), 1.0);
  call.finish(Combine{ones}, std::move(inputs));
}

// x^n by squaring; n = 2 is one Quadratic.
void power(Call& call) {
  call.expect_inputs(2, 2);
  const Constant& e = call.constant(1, "exponent");
  std::vector<double> exponents(e.floats);
  for (const auto v : e.integers) exponents.push_back(static_cast<double>(v));
  const bool uniform = !exponents.empty() && std::all_of(exponents.begin(), exponents.end(),
                                                         [&](double v) { return v == exponents[0]; });
  if (!uniform || e.dims.size() > call.shape(0).size() + 1)
    fail_user("has exponents of shape {}, expected one number", fmt::join(e.dims, "x"));
  const double n = exponents[0];
  if (!(n >= 1 && n <= 64 && std::floor(n) == n))
    fail_user("raises to the power {}, which is not polynomial: expected a whole number from 1 to 64", n);
  const Quadratic square{scalar(1), scalar(0), scalar(0)};
  std::string x = call.tensor(0), product;
  for (int left = static_cast<int>(n); left > 0; left /= 2) {
    const bool last = left == 1;
    if (left % 2 == 1) {
      if (product.empty())
        product = x;
      else
        product = last ? call.finish(Multiply{}, {product, x}) : call.part(Multiply{}, {product, x});
    }
    if (last) break;
    // The last square is the result itself where no smaller power was set aside.
    x = left / 2 == 1 && product.empty() ? call.finish(square, {x}) : call.part(square, {x});
  }
  if (n == 1) call.alias(x);
}

// Kept, so that the planner can refuse them by name and the trainer replace them.
bool is_activation(const std::string& op) {
  constexpr std::array ops{"Sigmoid",   "Tanh",    "Softplus", "Softsign",   "Elu",         "Selu",
                           "Celu",      "Erf",     "Exp",      "Log",        "Sqrt",        "Reciprocal",
                           "LeakyRelu", "PRelu",   "Clip",     "Abs",        "Sign",        "ThresholdedRelu",
                           "HardSwish", "Softmax", "ArgMax",   "LogSoftmax", "HardSigmoid", "Hardmax"};
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

void dropout(Call& call) {
  call.expect_inputs(1, 3);
  call.attributes.ignore("ratio");
  call.attributes.ignore("seed");
  if (call.has_input(2)) {
    const auto mode = call.integers(2, "training_mode");
    if (mode.size() != 1 || mode[0] != 0)
      fail_user("is in training mode: export the network after model.eval()");
  }
  call.alias(call.tensor(0));
}

void cast(Call& call) {
  call.expect_inputs(1, 1);
  const auto to = call.attributes.integer("to", 0);
  // After ArgMax the value is a class number, which the client computes.
  const auto& nodes = call.importer().graph.nodes;
  const bool after_argmax = std::any_of(nodes.begin(), nodes.end(), [&](const Node& n) {
    const auto* u = std::get_if<Unsupported>(&n.op);
    return u && u->op == "ArgMax" && n.output == call.tensor(0);
  });
  if (to != onnx::TensorProto::FLOAT && !after_argmax)
    fail_user("converts to type {}, only FLOAT is supported",
              onnx::TensorProto::DataType_IsValid(static_cast<int>(to))
                  ? onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(to))
                  : std::to_string(to));
  call.alias(call.tensor(0));
}

}  // namespace

bool convert_elementwise(Call& call) {
  const std::string& op = call.op();
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") {
    arithmetic(call);
  } else if (op == "Sum") {
    sum(call);
  } else if (op == "Pow") {
    power(call);
  } else if (op == "Neg") {
    call.expect_inputs(1, 1);
    call.finish(ScaleShift{scalar(-1), scalar(0)}, {call.tensor(0)});
  } else if (op == "Identity") {
    call.expect_inputs(1, 1);
    call.alias(call.tensor(0));
  } else if (op == "Dropout") {
    dropout(call);
  } else if (op == "Cast") {
    cast(call);
  } else if (op == "Relu") {
    call.expect_inputs(1, 1);
    call.finish(Relu{}, {call.tensor(0)});
  } else if (is_activation(op)) {
    call.attributes.ignore_all();
    call.finish(Unsupported{op}, {call.tensor(0)});
  } else {
    return false;
  }
  return true;
}

}  // namespace velum::model
