// Add, Sub, Mul, Div, Neg, Pow, Sum, activations, comparisons, and operators that do nothing at inference.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/function_kernels.h"
#include "model/onnx/broadcast.h"
#include "model/onnx/convert.h"

namespace velum::model {

namespace {

Coefficients scalar(double v) {
  return {{}, {static_cast<float>(v)}};
}
double same(double v) {
  return v;
}

void function(Call& call, const std::string& op, double alpha = 0, double beta = 0) {
  const Function f{op, alpha, beta};
  if (call.is_constant(0)) return call.define(evaluate(call, f, call.constant(0, "input")));
  const Value v = call.value(0);
  call.finish(f, {v.tensor}, {}, v.batch);
}

// A function of all inputs.
void function_of_all(Call& call, const std::string& op) {
  const Aligned a = align(call, 0, call.input_count());
  call.finish(Function{op}, as_tensors(call, a), {}, a.batch);
}

void with_constant(Call& call, const Aligned& a, std::size_t which) {
  const std::string& op = call.op();
  const Constant& c = *a.constants[which];
  ScaleShift s{scalar(1), scalar(0)};
  if (op == "Add" || op == "Sub") {
    const double factor = op == "Sub" && which == 1 ? -1 : 1;
    s.shift = coefficients(c, a.shape, [factor](double v) { return factor * v; });
    if (op == "Sub" && which == 0) s.scale = scalar(-1);
  } else if (op == "Mul") {
    s.scale = coefficients(c, a.shape, same);
  } else if (which == 0) {
    const auto inverse = call.part(Function{"Reciprocal"}, {a.tensors[1]});
    call.finish(ScaleShift{coefficients(c, a.shape, same), scalar(0)}, {inverse}, {}, a.batch);
    return;
  } else {
    s.scale = coefficients(c, a.shape, [](double v) {
      if (v == 0) fail_user("divides by zero");
      return 1 / v;
    });
  }
  call.finish(std::move(s), {a.tensors[1 - which]}, {}, a.batch);
}

void arithmetic(Call& call) {
  call.expect_inputs(2, 2);
  const std::string& op = call.op();
  const Aligned a = align(call, 0, 2);
  if (a.constants[0] || a.constants[1]) return with_constant(call, a, a.constants[0] ? 0 : 1);
  const auto finish = [&](Operation layer) { call.finish(std::move(layer), a.tensors, {}, a.batch); };
  if (op == "Add")
    finish(Combine{{1, 1}});
  else if (op == "Sub")
    finish(Combine{{1, -1}});
  else if (op == "Mul")
    finish(Multiply{});
  else
    finish(Function{"Div"});
}

// Sum and Mean of any number of tensors and constants.
void sum(Call& call) {
  call.expect_inputs(1, 1 << 16);
  const Aligned a = align(call, 0, call.input_count());
  auto tensors = as_tensors(call, a);
  const double factor = call.op() == "Mean" ? 1.0 / static_cast<double>(tensors.size()) : 1.0;
  const std::vector<double> factors(tensors.size(), factor);
  call.finish(Combine{factors}, std::move(tensors), {}, a.batch);
}

// Max and Min: two at a time. max(x, 0) is a Relu.
void extreme(Call& call) {
  call.expect_inputs(1, 1 << 16);
  const Aligned a = align(call, 0, call.input_count());
  if (call.op() == "Max" && a.tensors.size() == 2)
    for (std::size_t i = 0; i < 2; ++i)
      if (a.constants[i] && a.constants[i]->size() == 1 &&
          coefficients(*a.constants[i], a.shape, same).values[0] == 0) {
        call.finish(Relu{}, {a.tensors[1 - i]}, {}, a.batch);
        return;
      }
  const auto tensors = as_tensors(call, a);
  if (tensors.size() == 1) {
    call.finish(Reshape{}, tensors, a.shape, a.batch);
    return;
  }
  std::string so_far = tensors[0];
  for (std::size_t i = 1; i + 1 < tensors.size(); ++i)
    so_far = call.part(Function{call.op()}, {so_far, tensors[i]});
  call.finish(Function{call.op()}, {so_far, tensors.back()}, {}, a.batch);
}

// x^n by squaring; n = 2 is one Quadratic.
void whole_power(Call& call, const Aligned& a, int n) {
  const Quadratic square{scalar(1), scalar(0), scalar(0)};
  std::string x = a.tensors[0], product;
  for (int left = n; left > 0; left /= 2) {
    const bool last = left == 1;
    if (left % 2 == 1) {
      if (product.empty())
        product = x;
      else
        product =
            last ? call.finish(Multiply{}, {product, x}, {}, a.batch) : call.part(Multiply{}, {product, x});
    }
    if (last) break;
    // The last square is the result itself where no smaller power was set aside.
    x = left / 2 == 1 && product.empty() ? call.finish(square, {x}, {}, a.batch) : call.part(square, {x});
  }
  if (n == 1) call.finish(Reshape{}, {x}, a.shape, a.batch);
}

void power(Call& call) {
  call.expect_inputs(2, 2);
  const Aligned a = align(call, 0, 2);
  if (!a.constants[1]) {
    call.finish(Function{"Pow"}, as_tensors(call, a), {}, a.batch);
    return;
  }
  const auto exponents = coefficients(*a.constants[1], a.shape, same).values;
  const double n = static_cast<double>(exponents[0]);
  const bool uniform =
      std::all_of(exponents.begin(), exponents.end(), [&](float v) { return static_cast<double>(v) == n; });
  if (uniform && n >= 1 && n <= 64 && std::floor(n) == n)
    whole_power(call, a, static_cast<int>(n));
  else if (uniform && (n == 0.5 || n == -1))
    call.finish(Function{n == 0.5 ? "Sqrt" : "Reciprocal"}, {a.tensors[0]}, {}, a.batch);
  else
    call.finish(Function{"Pow"}, as_tensors(call, a), {}, a.batch);
}

void clip(Call& call) {
  call.expect_inputs(1, 3);
  constexpr double huge = std::numeric_limits<float>::max();
  double low = -huge, high = huge;
  if (call.opset() < 11) {
    low = call.attributes.real("min", low);
    high = call.attributes.real("max", high);
  } else {
    if (call.has_input(1)) low = call.number(1, "least value");
    if (call.has_input(2)) high = call.number(2, "greatest value");
  }
  call.attributes.ignore("consumed_inputs");
  if (low != 0 || high < huge || call.is_constant(0)) return function(call, "Clip", low, high);
  const Value v = call.value(0);
  call.finish(Relu{}, {v.tensor}, {}, v.batch);
}

// Parameters of the activations that have some: attribute and default.
struct Parameter {
  const char* op;
  const char* alpha;
  double alpha_default;
  const char* beta = nullptr;
  double beta_default = 0;
};
constexpr std::array parameters{
    Parameter{"LeakyRelu", "alpha", 0.01},
    Parameter{"Elu", "alpha", 1},
    Parameter{"Celu", "alpha", 1},
    Parameter{"Swish", "alpha", 1},
    Parameter{"ThresholdedRelu", "alpha", 1},
    Parameter{"Selu", "alpha", 1.67326319217681884765625, "gamma", 1.05070102214813232421875},
    Parameter{"HardSigmoid", "alpha", 0.2, "beta", 0.5},
    Parameter{"Shrink", "lambd", 0.5, "bias", 0},
};

void activation(Call& call) {
  call.expect_inputs(1, 1);
  call.attributes.ignore("consumed_inputs");
  double alpha = 0, beta = 0;
  // Selu's defaults were shorter before opset 6, which is not read.
  for (const auto& p : parameters)
    if (call.op() == p.op) {
      alpha = call.attributes.real(p.alpha, p.alpha_default);
      if (p.beta) beta = call.attributes.real(p.beta, p.beta_default);
    }
  if (call.op() == "Gelu") {
    const auto form = call.attributes.text("approximate", "none");
    if (form != "none" && form != "tanh") fail_user("has approximate = '{}', expected none or tanh", form);
    alpha = form == "tanh" ? 1 : 0;
  }
  function(call, call.op(), alpha, beta);
}

// The slope is one a channel before opset 7, right-aligned from then on.
void prelu(Call& call) {
  call.expect_inputs(2, 2);
  if (call.opset() >= 7) return function_of_all(call, "PRelu");
  const Value v = call.in_front(0);
  const Constant& slope = call.weights(1, "slope");
  Coefficients c{{}, call.float_weights(1, "slope")};
  if (slope.size() != 1) {
    c.dims.assign(v.dims.size(), 1);
    if (v.dims.empty() || slope.size() != v.dims[0])
      fail_user("has {} slopes for a tensor {}", slope.size(), to_string(v.dims));
    c.dims[0] = v.dims[0];
  }
  const ScaleShift s{c, scalar(0)};
  const auto scaled = call.part(s, {v.tensor}),
             zero = call.part(ScaleShift{scalar(0), scalar(0)}, {v.tensor});
  const auto positive = call.part(Function{"Greater"}, {v.tensor, zero});
  call.finish(Function{"Where"}, {positive, v.tensor, scaled}, {}, v.batch);
}

void dropout(Call& call) {
  call.expect_inputs(1, 3);
  call.attributes.ignore("ratio");
  call.attributes.ignore("seed");
  if (call.opset() < 7 && call.attributes.integer("is_test", 0) == 0)
    fail_user("is in training mode (is_test = 0): export the network after model.eval()");
  if (call.has_input(2)) {
    const auto mode = call.integers(2, "training_mode");
    if (mode.size() != 1 || mode[0] != 0)
      fail_user("is in training mode: export the network after model.eval()");
  }
  call.alias(call.value(0));
}

// Whether the value holds whole numbers already: of a comparison or an ArgMax, which the client computes, or
// bytes.
bool is_whole(Call& call, const std::string& tensor) {
  const Graph& g = call.importer().graph;
  if (tensor == call.importer().tensors.at(g.input).tensor) return call.importer().whole_input;
  for (const auto& n : g.nodes) {
    if (n.output != tensor) continue;
    if (const auto* f = std::get_if<Function>(&n.op)) {
      constexpr std::array whole{
          "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "And", "Or", "Xor",
          "Not",     "Floor",          "Ceil", "Round",       "Sign"};
      return std::find(whole.begin(), whole.end(), f->op) != whole.end();
    }
    const auto* f = std::get_if<AxisFunction>(&n.op);
    if (f) return f->op == "ArgMax" || f->op == "ArgMin" || f->op == "Hardmax";
    return std::holds_alternative<Reshape>(n.op) && is_whole(call, n.inputs[0]);
  }
  return false;
}

void cast(Call& call) {
  const Value v = call.value(0);
  if (call.op() == "CastLike") {
    call.expect_inputs(2, 2);
  } else {
    call.expect_inputs(1, 1);
    const auto to = static_cast<int>(call.attributes.integer("to", 0));
    call.attributes.ignore("saturate");
    if (!is_real(to) && !(is_integral(to) && is_whole(call, v.tensor)))
      fail_user(
          "converts computed values to type {}, which rounds them: only FLOAT, DOUBLE and 16-bit floats are "
          "read",
          type_name(to));
  }
  call.alias(v);
}

bool is_function(const std::string& op) {
  return op != "PRelu" && op != "Div" && op != "Pow" && op != "Max" && op != "Min" && op != "Clip";
}

}  // namespace

bool convert_elementwise(Call& call) {
  const std::string& op = call.op();
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") {
    arithmetic(call);
  } else if (op == "Sum" || op == "Mean") {
    sum(call);
  } else if (op == "Max" || op == "Min") {
    extreme(call);
  } else if (op == "Pow") {
    power(call);
  } else if (op == "Neg") {
    call.expect_inputs(1, 1);
    const Value v = call.value(0);
    call.finish(ScaleShift{scalar(-1), scalar(0)}, {v.tensor}, {}, v.batch);
  } else if (op == "Identity") {
    call.expect_inputs(1, 1);
    call.alias(call.value(0));
  } else if (op == "Dropout") {
    dropout(call);
  } else if (op == "Cast" || op == "CastLike") {
    cast(call);
  } else if (op == "Relu") {
    call.expect_inputs(1, 1);
    call.attributes.ignore("consumed_inputs");
    const Value v = call.value(0);
    call.finish(Relu{}, {v.tensor}, {}, v.batch);
  } else if (op == "Clip") {
    clip(call);
  } else if (op == "PRelu") {
    prelu(call);
  } else if (is_function(op) && can_execute(op, 1)) {
    activation(call);
  } else if (op == "Where" || (is_function(op) && can_execute(op, 2))) {
    call.expect_inputs(op == "Where" ? 3 : 2, op == "Where" ? 3 : 2);
    function_of_all(call, op);
  } else {
    return false;
  }
  return true;
}

}  // namespace velum::model
