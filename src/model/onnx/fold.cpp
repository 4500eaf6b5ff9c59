// Constant folding: exporters compute shapes and reparametrised weights inside the graph.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "model/function_kernels.h"
#include "model/onnx/broadcast.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

Constant reshaped(Constant c, Dims dims) {
  if (checked_count(dims, "the result") != c.size())
    fail_user("reshapes a constant of {} elements to {}", c.size(), fmt::join(dims, "x"));
  c.dims = std::move(dims);
  return c;
}

// Strides of `dims` walked as the larger `out`: 0 along repeated axes.
Dims broadcast_strides(const Dims& dims, const Dims& out) {
  const Dims own = row_strides(dims);
  Dims s(out.size(), 0);
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (dims[i] != 1) s[out.size() - dims.size() + i] = own[i];
  return s;
}

double real(const Constant& c, std::size_t i) {
  if (c.integral && is_free(c.integers[i])) fail_user("computes with the number of images, which is free");
  return c.integral ? static_cast<double>(c.integers[i]) : c.floats[i];
}

// Whole numbers, one of which may be the number of images.
std::int64_t whole(const std::string& op, std::int64_t x, std::int64_t y) {
  if (is_free(x) || is_free(y)) {
    const bool kept = (op == "Mul" && (x == 1 || y == 1)) || (op == "Div" && y == 1) ||
                      ((op == "Add" || op == "Sub") && y == 0);
    return kept ? (is_free(x) ? x : y) : batch_multiple;
  }
  std::int64_t out = 0;
  bool bad = false;
  if (op == "Add")
    bad = __builtin_add_overflow(x, y, &out);
  else if (op == "Sub")
    bad = __builtin_sub_overflow(x, y, &out);
  else if (op == "Mul")
    bad = __builtin_mul_overflow(x, y, &out);
  else if ((op == "Div" || op == "Mod") && y != 0 && y != -1)
    out = op == "Div" ? x / y : (x % y + (x % y != 0 && (x < 0) != (y < 0) ? y : 0));
  else if (op == "Remainder" && y != 0 && y != -1)
    out = x % y;
  else if (op == "Max" || op == "Min")
    out = op == "Max" ? std::max(x, y) : std::min(x, y);
  else
    bad = true;
  if (bad) fail_user("computes {} of the integers {} and {}", op, x, y);
  return out;
}

bool is_whole(const std::string& op) {
  constexpr std::array ops{"Add", "Sub", "Mul", "Div", "Mod", "Remainder", "Max", "Min"};
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

bool gives_truth(const std::string& op) {
  constexpr std::array ops{"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or",
                           "Not",   "Xor"};
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

double arithmetic(const std::string& op, double x, double y) {
  if (op == "Add") return x + y;
  if (op == "Sub") return x - y;
  return x * y;
}

// Any elementwise operator of constants, with broadcasting. Arithmetic of integers stays whole.
Constant elementwise(Call& call, const std::string& op, const std::vector<const Constant*>& in) {
  Constant out;
  bool integral = true;
  for (const auto* c : in) {
    out.dims = broadcast_dims(out.dims, c->dims);
    integral = integral && c->integral;
  }
  const auto n = checked_count(out.dims, "the result");
  account(call.importer(), n);
  std::vector<Dims> steps;
  steps.reserve(in.size());
  for (const auto* c : in) steps.push_back(broadcast_strides(c->dims, out.dims));
  const bool as_integers = integral && in.size() == 2 && is_whole(op);
  const bool chooses = op == "Where";
  out.integral = as_integers || gives_truth(op) || (integral && in.size() == 1) ||
                 (chooses && in[1]->integral && in[2]->integral) || (op == "Pow" && in[0]->integral);
  const bool plain = op == "Add" || op == "Sub" || op == "Mul";
  LayerKernel kernel;
  if (!as_integers && !chooses && !plain) kernel = prepare_function(Function{op}, in.size(), {1});
  for_each(out.dims, [&](const Dims& index) {
    std::array<std::size_t, 3> at{};
    for (std::size_t i = 0; i < in.size(); ++i) at[i] = static_cast<std::size_t>(position(index, steps[i]));
    if (as_integers) {
      out.integers.push_back(whole(op, in[0]->integers[at[0]], in[1]->integers[at[1]]));
      return;
    }
    if (chooses && out.integral) {
      const std::size_t which = in[0]->integers[at[0]] != 0 ? 1 : 2;
      out.integers.push_back(in[which]->integers[at[which]]);
      return;
    }
    // A number of images never equals a number that the file holds (-1 marks what is left open).
    if (op == "Equal" && integral) {
      out.integers.push_back(in[0]->integers[at[0]] == in[1]->integers[at[1]] ? 1 : 0);
      return;
    }
    double x[3] = {}, y = 0;
    const double* from[3] = {x, x + 1, x + 2};
    for (std::size_t i = 0; i < in.size(); ++i) x[i] = real(*in[i], at[i]);
    if (chooses)
      y = x[0] != 0 ? x[1] : x[2];
    else if (plain)
      y = arithmetic(op, x[0], x[1]);
    else
      kernel({from, in.size()}, &y, 1);
    if (!std::isfinite(y)) fail_user("computes {} of constants for which it is not finite", op);
    if (out.integral)
      out.integers.push_back(static_cast<std::int64_t>(y));
    else
      out.floats.push_back(y);
  });
  return out;
}

Constant constant_node(Call& call) {
  auto& a = call.attributes;
  Constant c;
  if (a.has("value")) return read_tensor(a.tensor("value"), "its value", call.importer().folder);
  if (a.has("value_float")) {
    c.floats = {a.real("value_float", 0)};
  } else if (a.has("value_floats")) {
    c.floats = a.reals("value_floats");
    c.dims = {c.size()};
  } else if (a.has("value_int")) {
    c.integral = true;
    c.integers = {a.integer("value_int", 0)};
  } else if (a.has("value_ints")) {
    c.integral = true;
    c.integers = a.integers("value_ints", {});
    c.dims = {c.size()};
  } else {
    fail_user("holds no number: only value, value_float(s) and value_int(s) are supported");
  }
  for (const double v : c.floats)
    if (!std::isfinite(v)) fail_user("holds {}, expected a finite number", v);
  return c;
}

// From opset 15 on a part of it, from `start` to `end`.
Constant shape_of(Call& call) {
  Dims dims;
  if (call.is_constant(0)) {
    dims = call.constant(0, "input").dims;
  } else {
    const Value v = call.value(0);
    dims = full_dims(v);
    if (v.batch != no_batch && !call.importer().one_image())
      dims[static_cast<std::size_t>(v.batch)] = batch_extent;
  }
  const auto n = static_cast<std::int64_t>(dims.size());
  const auto place = [&](std::int64_t p) { return std::clamp<std::int64_t>(p < 0 ? p + n : p, 0, n); };
  std::int64_t first = 0, last = n;
  if (call.opset() >= 15) {
    first = place(call.attributes.integer("start", 0));
    last = std::max(first, place(call.attributes.integer("end", n)));
  }
  Constant c;
  c.integral = true;
  c.integers.assign(dims.begin() + first, dims.begin() + last);
  c.dims = {c.size()};
  return c;
}

// Ones along a diagonal, in the shape of its input.
Constant eye_like(Call& call) {
  call.expect_inputs(1, 1);
  const Dims dims = shape_of(call).integers;
  const auto k = call.attributes.integer("k", 0);
  const auto type = static_cast<int>(call.attributes.integer("dtype", onnx::TensorProto::FLOAT));
  if (dims.size() != 2 || std::any_of(dims.begin(), dims.end(), is_free))
    fail_user("makes a matrix like a tensor of {} axes, expected 2 of fixed length", dims.size());
  account(call.importer(), checked_count(dims, "the matrix"));
  Constant c;
  c.dims = dims;
  c.integral = is_integral(type);
  for (std::int64_t y = 0; y < dims[0]; ++y)
    for (std::int64_t x = 0; x < dims[1]; ++x) {
      const bool one = x - y == k;
      if (c.integral)
        c.integers.push_back(one);
      else
        c.floats.push_back(one);
    }
  return c;
}

Constant size_of(Call& call) {
  Constant c;
  c.integral = true;
  if (call.is_constant(0)) {
    c.integers = {call.constant(0, "input").size()};
  } else {
    const Value v = call.value(0);
    const bool free = v.batch != no_batch && !call.importer().one_image();
    const auto n = element_count(v.dims);
    c.integers = {!free ? n : n == 1 ? batch_extent : batch_multiple};
  }
  return c;
}

Constant squeeze(Call& call) {
  const Constant& c = call.constant(0, "input");
  const Dims axes = call.listed("axes", 1, 13, {});
  std::vector<bool> drop(c.dims.size(), axes.empty());
  for (const auto a : axes) drop[static_cast<std::size_t>(checked_axis(a, c.dims.size()))] = true;
  Dims dims;
  for (std::size_t i = 0; i < c.dims.size(); ++i)
    if (!drop[i] || (axes.empty() && c.dims[i] != 1)) dims.push_back(c.dims[i]);
  return reshaped(c, dims);
}

Constant unsqueeze(Call& call) {
  const Constant& c = call.constant(0, "input");
  const Dims axes = call.listed("axes", 1, 13, {});
  if (axes.size() > 8) fail_user("adds {} axes", axes.size());
  const std::size_t rank = c.dims.size() + axes.size();
  std::vector<bool> added(rank, false);
  for (const auto a : axes) added[static_cast<std::size_t>(checked_axis(a, rank))] = true;
  if (std::count(added.begin(), added.end(), true) != static_cast<std::ptrdiff_t>(axes.size()))
    fail_user("adds the same axis twice");
  Dims dims;
  for (std::size_t i = 0, from = 0; i < rank; ++i) dims.push_back(added[i] ? 1 : c.dims[from++]);
  return reshaped(c, dims);
}

Constant reshape(Call& call) {
  const Constant& c = call.constant(0, "input");
  Dims dims = call.integers(1, "shape");
  const bool zero_copies = call.attributes.integer("allowzero", 0) == 0;
  if (dims.size() > 8) fail_user("reshapes a constant to {} axes", dims.size());
  std::int64_t known = 1;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && zero_copies && i < c.dims.size()) dims[i] = c.dims[i];
    if (dims[i] == -1 && open < 0)
      open = static_cast<std::ptrdiff_t>(i);
    else if (dims[i] < 1 || __builtin_mul_overflow(known, dims[i], &known))
      fail_user("reshapes a constant to {}", fmt::join(dims, "x"));
  }
  if (open >= 0) dims[static_cast<std::size_t>(open)] = c.size() / known;
  return reshaped(c, dims);
}

Constant flatten(Call& call) {
  const Constant& c = call.constant(0, "input");
  const auto rank = static_cast<std::int64_t>(c.dims.size());
  std::int64_t axis = call.attributes.integer("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) fail_user("flattens a constant of {} axes at {}", rank, axis);
  std::int64_t before = 1;
  for (std::int64_t a = 0; a < axis; ++a) before *= c.dims[static_cast<std::size_t>(a)];
  return reshaped(c, {before, before == 0 ? 0 : c.size() / before});
}

Constant cast(Call& call) {
  const Constant& c = call.constant(0, "input");
  bool integral = false;
  int to = 0;
  if (call.op() == "CastLike") {
    if (call.is_constant(1)) {
      integral = call.constant(1, "target").integral;
      to = call.constant(1, "target").type;
    }
  } else {
    to = static_cast<int>(call.attributes.integer("to", 0));
    call.attributes.ignore("saturate");
    if (!is_integral(to) && !is_real(to))
      fail_user("converts a constant to type {}, expected float or integer", type_name(to));
    integral = is_integral(to);
    if (to == onnx::TensorProto::BOOL) {
      Constant truth = c;
      truth.integral = true;
      truth.type = to;
      truth.integers.clear();
      for (std::int64_t i = 0; i < c.size(); ++i)
        truth.integers.push_back(real(c, static_cast<std::size_t>(i)) != 0 ? 1 : 0);
      truth.floats.clear();
      return truth;
    }
  }
  Constant out = c;
  out.integral = integral;
  out.type = to;
  if (integral == c.integral) return out;
  out.floats.clear();
  out.integers.clear();
  for (std::size_t i = 0; i < c.integers.size(); ++i) out.floats.push_back(real(c, i));
  for (const auto v : c.floats) {
    if (!(std::fabs(v) < 9e15)) fail_user("converts {} to an integer", v);
    out.integers.push_back(static_cast<std::int64_t>(v));
  }
  return out;
}

// Where an axis is the number of images, one value for all of them: it broadcasts.
Constant constant_of_shape(Call& call) {
  Dims dims = call.integers(0, "shape");
  if (dims.size() > 8) fail_user("makes a constant of {} axes", dims.size());
  for (auto& d : dims)
    if (d == batch_extent) d = 1;
  if (std::find(dims.begin(), dims.end(), batch_multiple) != dims.end())
    fail_user("makes a constant as long as several times the number of images, which is free");
  const auto n = checked_count(dims, "the constant");
  account(call.importer(), n);
  Constant v;
  v.floats = {0};
  if (call.attributes.has("value"))
    v = read_tensor(call.attributes.tensor("value"), "its value", call.importer().folder);
  if (v.size() != 1) fail_user("repeats a value of {} elements, expected one", v.size());
  v.dims = dims;
  v.floats.resize(v.integral ? 0 : static_cast<std::size_t>(n), v.integral ? 0 : v.floats[0]);
  v.integers.resize(v.integral ? static_cast<std::size_t>(n) : 0, v.integral ? v.integers[0] : 0);
  return v;
}

Constant range(Call& call) {
  call.expect_inputs(3, 3);
  const double start = call.number(0, "start"), limit = call.number(1, "limit"),
               step = call.number(2, "step");
  if (step == 0) fail_user("counts in steps of 0");
  for (int i = 0; i < 3; ++i) real(call.constant(i, "input"), 0);
  const double count = std::max(0.0, std::ceil((limit - start) / step));
  if (!(count <= static_cast<double>(max_tensor_elements))) fail_user("counts {} numbers", count);
  account(call.importer(), static_cast<std::int64_t>(count));
  Constant c;
  c.integral = call.constant(0, "start").integral;
  for (double i = 0; i < count; ++i) {
    if (c.integral)
      c.integers.push_back(static_cast<std::int64_t>(start + i * step));
    else
      c.floats.push_back(start + i * step);
  }
  c.dims = {c.size()};
  return c;
}

// Least and greatest value of a type of whole numbers; refuses others.
std::pair<double, double> ends_of(int type) {
  using Type = onnx::TensorProto;
  if (type == Type::UINT8) return {0, 255};
  if (type == Type::INT8) return {-128, 127};
  if (type == Type::UINT16) return {0, 65535};
  if (type == Type::INT16) return {-32768, 32767};
  fail_user("rounds weights to type {}, expected integers of 8 or 16 bits", type_name(type));
}

// Weights in steps of `scale` from a zero point, along one axis or for all: DequantizeLinear gives
// (x - zero point) * scale, QuantizeLinear the step that is nearest, halves to even, within its type.
Constant in_steps(Call& call) {
  call.expect_inputs(2, 3);
  const Constant &x = call.constant(0, "input"), &scale = call.weights(1, "scale");
  const bool rounds = call.op() == "QuantizeLinear";
  if (x.integral == rounds || call.attributes.integer("block_size", 0) != 0)
    fail_user("has weights in blocks, or {}, which Velum does not read",
              rounds ? "of integers" : "not of integers");
  call.attributes.ignore("saturate");
  call.attributes.ignore("precision");
  int type = static_cast<int>(call.attributes.integer("output_dtype", 0));
  if (type == 0) type = call.has_input(2) ? call.constant(2, "zero point").type : onnx::TensorProto::UINT8;
  const auto [low, high] = rounds ? ends_of(type) : std::pair{0.0, 0.0};
  const auto axis = call.attributes.integer("axis", 1);
  if (call.has_input(2) && call.constant(2, "zero point").size() != scale.size())
    fail_user("has {} scales and {} zero points", scale.size(), call.constant(2, "zero point").size());
  account(call.importer(), x.size());
  std::int64_t inner = 1;
  if (scale.size() != 1) {
    const auto a = static_cast<std::size_t>(checked_axis(axis, x.dims.size()));
    if (x.dims[a] != scale.size()) fail_user("has {} scales for an axis of {}", scale.size(), x.dims[a]);
    for (std::size_t i = a + 1; i < x.dims.size(); ++i) inner *= x.dims[i];
  }
  Constant out;
  out.dims = x.dims;
  out.integral = rounds;
  out.type = rounds ? type : 0;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const auto which = static_cast<std::size_t>(scale.size() == 1 ? 0 : i / inner % scale.size());
    const double zero = call.has_input(2) ? real(call.constant(2, "zero point"), which) : 0;
    const double v = real(x, static_cast<std::size_t>(i));
    if (!rounds) {
      out.floats.push_back((v - zero) * scale.floats[which]);
      continue;
    }
    if (!(scale.floats[which] > 0))
      fail_user("has a scale of {}, expected a positive one", scale.floats[which]);
    const double step = std::nearbyint(static_cast<double>(static_cast<float>(v / scale.floats[which])));
    out.integers.push_back(static_cast<std::int64_t>(std::clamp(step + zero, low, high)));
  }
  return out;
}

bool all_constant(const Call& call) {
  if (call.input_count() == 0) return false;
  for (int i = 0; i < call.input_count(); ++i)
    if (call.has_input(i) && !call.is_constant(i)) return false;
  return call.has_input(0);
}

bool fold_elementwise(Call& call) {
  const std::string& op = call.op();
  // Those with parameters read them as for computed values.
  constexpr std::array with_parameters{"LeakyRelu", "Elu",  "Celu", "Swish",       "ThresholdedRelu",
                                       "Selu",      "Clip", "Gelu", "HardSigmoid", "Shrink"};
  if (std::find(with_parameters.begin(), with_parameters.end(), op) != with_parameters.end()) return false;
  std::vector<const Constant*> in;
  in.reserve(static_cast<std::size_t>(call.input_count()));
  for (int i = 0; i < call.input_count(); ++i) in.push_back(&call.constant(i, "input"));
  const bool counted = in.size() <= 3;
  if (op == "Neg" && in.size() == 1) {
    Constant minus;
    minus.integral = in[0]->integral;
    if (minus.integral)
      minus.integers = {-1};
    else
      minus.floats = {-1};
    call.define(elementwise(call, "Mul", {in[0], &minus}));
    return true;
  }
  if (op == "Mod" && in.size() == 2) {
    // By default of the divisor's sign, with fmod = 1 of the dividend's, as in C.
    const bool as_in_c = call.attributes.integer("fmod", 0) != 0;
    call.define(elementwise(call, as_in_c ? "Remainder" : "Mod", in));
    return true;
  }
  const bool plain = op == "Add" || op == "Sub" || op == "Mul";
  if (counted && ((plain && in.size() == 2) || can_execute(op, in.size()))) {
    call.define(elementwise(call, op, in));
    return true;
  }
  if ((op == "Max" || op == "Min" || op == "Sum") && !in.empty()) {
    Constant so_far = *in[0];
    for (std::size_t i = 1; i < in.size(); ++i)
      so_far = elementwise(call, op == "Sum" ? "Add" : op, {&so_far, in[i]});
    call.define(std::move(so_far));
    return true;
  }
  if (op == "Relu" && in.size() == 1) {
    Constant zero;
    zero.integral = in[0]->integral;
    if (zero.integral)
      zero.integers = {0};
    else
      zero.floats = {0};
    call.define(elementwise(call, "Max", {in[0], &zero}));
    return true;
  }
  return false;
}

}  // namespace

Constant evaluate(Call& call, const Function& f, const Constant& c) {
  account(call.importer(), c.size());
  Constant out;
  out.dims = c.dims;
  out.integral = c.integral && f.op == "Clip";
  const LayerKernel kernel = prepare_function(f, 1, {1});
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.size()); ++i) {
    const double x = real(c, i);
    const double* from[1] = {&x};
    double y = 0;
    kernel({from, 1}, &y, 1);
    if (!std::isfinite(y)) fail_user("computes {} of constants for which it is not finite", f.op);
    if (out.integral)
      out.integers.push_back(static_cast<std::int64_t>(y));
    else
      out.floats.push_back(y);
  }
  return out;
}

bool fold_constants(Call& call) {
  const std::string& op = call.op();
  if (op == "Constant")
    call.define(constant_node(call));
  else if (op == "Shape")
    call.define(shape_of(call));
  else if (op == "Size")
    call.define(size_of(call));
  else if (op == "EyeLike")
    call.define(eye_like(call));
  else if (!all_constant(call))
    return false;
  else if (op == "Identity" || op == "Dropout")
    call.attributes.ignore_all(), call.define(call.constant(0, "input"));
  else if (op == "Squeeze")
    call.define(squeeze(call));
  else if (op == "Unsqueeze")
    call.define(unsqueeze(call));
  else if (op == "Reshape")
    call.define(reshape(call));
  else if (op == "Flatten")
    call.define(flatten(call));
  else if (op == "Cast" || op == "CastLike")
    call.define(cast(call));
  else if (op == "ConstantOfShape")
    call.define(constant_of_shape(call));
  else if (op == "Range")
    call.define(range(call));
  else if (op == "DequantizeLinear" || op == "QuantizeLinear")
    call.define(in_steps(call));
  else
    return fold_elementwise(call);
  return true;
}

}  // namespace velum::model
