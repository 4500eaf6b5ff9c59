// Constant folding: exporters compute shapes and reparametrised weights inside the graph.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/onnx_import.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

using Dims = std::vector<std::int64_t>;

// All elements that folding has made together: a small file must not make much.
void account(Importer& importer, std::int64_t elements) {
  if (elements > max_tensor_elements || (importer.folded_elements += elements) > 4 * max_tensor_elements)
    fail_user("computes constants of more than {} elements", max_tensor_elements);
}

Dims row_strides(const Dims& dims) {
  Dims s(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) s[i - 1] = s[i] * dims[i];
  return s;
}

// Calls visit(output position, source position) where moving one step along axis i of `dims` moves the source
// by strides[i].
template <typename Visit>
void walk(const Dims& dims, const Dims& strides, Visit visit) {
  std::int64_t count = 1;
  for (const auto d : dims) count *= d;
  Dims index(dims.size(), 0);
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    visit(static_cast<std::size_t>(i), static_cast<std::size_t>(at));
    for (std::size_t a = dims.size(); a-- > 0;) {
      at += strides[a];
      if (++index[a] < dims[a]) break;
      at -= strides[a] * index[a];
      index[a] = 0;
    }
  }
}

// Elements of `c` in the order of a walk, with new dims.
Constant rearranged(const Constant& c, const Dims& dims, const Dims& strides, std::int64_t first = 0) {
  Constant out;
  out.dims = dims;
  out.integral = c.integral;
  walk(dims, strides, [&](std::size_t, std::size_t at) {
    const auto from = at + static_cast<std::size_t>(first);
    if (c.integral)
      out.integers.push_back(c.integers[from]);
    else
      out.floats.push_back(c.floats[from]);
  });
  return out;
}

Constant reshaped(Constant c, Dims dims) {
  if (checked_count(dims, "the result") != c.size())
    fail_user("reshapes a constant of {} elements to {}", c.size(), fmt::join(dims, "x"));
  c.dims = std::move(dims);
  return c;
}

Dims broadcast_dims(const Dims& x, const Dims& y) {
  Dims out(std::max(x.size(), y.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto a = i < x.size() ? x[x.size() - 1 - i] : 1, b = i < y.size() ? y[y.size() - 1 - i] : 1;
    if (a != b && a != 1 && b != 1)
      fail_user("combines constants of shapes {} and {}", fmt::join(x, "x"), fmt::join(y, "x"));
    out[out.size() - 1 - i] = a == 1 ? b : a;
  }
  return out;
}

// Strides of `dims` walked as the larger `out`: 0 along repeated axes.
Dims broadcast_strides(const Dims& dims, const Dims& out) {
  const Dims own = row_strides(dims);
  Dims s(out.size(), 0);
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (dims[i] != 1) s[out.size() - dims.size() + i] = own[i];
  return s;
}

double apply(const std::string& op, double x, double y) {
  if (op == "Add") return x + y;
  if (op == "Sub") return x - y;
  if (op == "Mul") return x * y;
  if (op == "Div") return x / y;
  return std::pow(x, y);
}

std::int64_t apply(const std::string& op, std::int64_t x, std::int64_t y) {
  if (x == batch_extent || y == batch_extent) return batch_extent;
  std::int64_t out = 0;
  bool bad = false;
  if (op == "Add")
    bad = __builtin_add_overflow(x, y, &out);
  else if (op == "Sub")
    bad = __builtin_sub_overflow(x, y, &out);
  else if (op == "Mul")
    bad = __builtin_mul_overflow(x, y, &out);
  else if (op == "Div" && y != 0 && y != -1)
    out = x / y;
  else
    bad = true;
  if (bad) fail_user("computes {} of the integers {} and {}", op, x, y);
  return out;
}

Constant constant_node(Call& call) {
  auto& a = call.attributes;
  Constant c;
  if (a.has("value")) return read_tensor(a.tensor("value"), "its value");
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

Constant shape_of(Call& call) {
  Constant c;
  c.integral = true;
  if (call.is_constant(0)) {
    c.integers = call.constant(0, "input").dims;
  } else {
    c.integers = {batch_extent};
    const Shape& s = call.shape(0);
    c.integers.insert(c.integers.end(), s.begin(), s.end());
  }
  c.dims = {c.size()};
  return c;
}

Dims axes_of(Call& call, const char* what) {
  if (call.attributes.has("axes")) return call.attributes.integers("axes", {});
  return call.has_input(1) ? call.integers(1, what) : Dims{};
}

Constant squeeze(Call& call) {
  const Constant& c = call.constant(0, "input");
  const Dims axes = axes_of(call, "axes");
  std::vector<bool> drop(c.dims.size(), axes.empty());
  for (const auto a : axes) drop[static_cast<std::size_t>(checked_axis(a, c.dims.size()))] = true;
  Dims dims;
  for (std::size_t i = 0; i < c.dims.size(); ++i)
    if (!drop[i] || (axes.empty() && c.dims[i] != 1)) dims.push_back(c.dims[i]);
  return reshaped(c, dims);
}

Constant unsqueeze(Call& call) {
  const Constant& c = call.constant(0, "input");
  const Dims axes = axes_of(call, "axes");
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
  call.attributes.integer("allowzero", 0);
  if (dims.size() > 8) fail_user("reshapes a constant to {} axes", dims.size());
  std::int64_t known = 1;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && i < c.dims.size()) dims[i] = c.dims[i];
    if (dims[i] == -1 && open < 0)
      open = static_cast<std::ptrdiff_t>(i);
    else if (dims[i] < 1 || __builtin_mul_overflow(known, dims[i], &known))
      fail_user("reshapes a constant to {}", fmt::join(dims, "x"));
  }
  if (open >= 0) dims[static_cast<std::size_t>(open)] = c.size() / known;
  return reshaped(c, dims);
}

Constant transpose(Call& call) {
  const Constant& c = call.constant(0, "input");
  Dims perm = call.attributes.integers("perm", {});
  if (perm.empty())
    for (std::size_t i = c.dims.size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  Dims sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<std::int64_t>(i) || sorted.size() != c.dims.size())
      fail_user("permutes the axes ({}) of a constant of shape {}", fmt::join(perm, ","),
                fmt::join(c.dims, "x"));
  const Dims own = row_strides(c.dims);
  Dims dims, strides;
  for (const auto p : perm) {
    dims.push_back(c.dims[static_cast<std::size_t>(p)]);
    strides.push_back(own[static_cast<std::size_t>(p)]);
  }
  return rearranged(c, dims, strides);
}

Constant concat(Call& call) {
  const Constant& first = call.constant(0, "input");
  Constant out;
  out.integral = first.integral;
  if (checked_axis(call.attributes.integer("axis", 0), first.dims.size()) != 0)
    fail_user("joins constants along an axis other than their first");
  out.dims = first.dims;
  out.dims[0] = 0;
  for (int i = 0; i < call.input_count(); ++i) {
    const Constant& c = call.constant(i, "input");
    if (c.integral != out.integral || c.dims.size() != out.dims.size() ||
        !std::equal(c.dims.begin() + 1, c.dims.end(), out.dims.begin() + 1))
      fail_user("joins constants of different shapes or types");
    account(call.importer(), c.size());
    out.dims[0] += c.dims[0];
    out.integers.insert(out.integers.end(), c.integers.begin(), c.integers.end());
    out.floats.insert(out.floats.end(), c.floats.begin(), c.floats.end());
  }
  return out;
}

Constant gather(Call& call) {
  const Constant &c = call.constant(0, "input"), &at = call.constant(1, "indices");
  if (checked_axis(call.attributes.integer("axis", 0), c.dims.size()) != 0 || c.dims.size() != 1 ||
      !at.integral)
    fail_user("picks elements of a constant of shape {}, supported along one axis only",
              fmt::join(c.dims, "x"));
  Constant out;
  out.integral = c.integral;
  out.dims = at.dims;
  account(call.importer(), at.size());
  for (const auto i : at.integers) {
    const auto k = static_cast<std::size_t>(checked_axis(i, static_cast<std::size_t>(c.size())));
    if (c.integral)
      out.integers.push_back(c.integers[k]);
    else
      out.floats.push_back(c.floats[k]);
  }
  return out;
}

Constant slice(Call& call) {
  const Constant& c = call.constant(0, "input");
  const Dims starts = call.integers(1, "starts"), ends = call.integers(2, "ends");
  const Dims steps = call.has_input(4) ? call.integers(4, "steps") : Dims{1};
  const Dims axes = call.has_input(3) ? call.integers(3, "axes") : Dims{0};
  if (c.dims.size() != 1 || starts.size() != 1 || ends.size() != 1 || steps != Dims{1} || axes.size() != 1 ||
      checked_axis(axes[0], 1) != 0)
    fail_user("slices a constant of shape {}, supported along one axis in steps of one only",
              fmt::join(c.dims, "x"));
  const std::int64_t n = c.size();
  const auto position = [n](std::int64_t p) {
    return std::clamp<std::int64_t>(p < 0 ? (p < -n ? 0 : p + n) : p, 0, n);
  };
  const std::int64_t first = position(starts[0]), last = std::max(first, position(ends[0]));
  return rearranged(c, {last - first}, {1}, first);
}

Constant cast(Call& call) {
  const Constant& c = call.constant(0, "input");
  const auto to = call.attributes.integer("to", 0);
  const bool integral = to == onnx::TensorProto::INT64 || to == onnx::TensorProto::INT32;
  if (!integral && to != onnx::TensorProto::FLOAT && to != onnx::TensorProto::DOUBLE)
    fail_user("converts a constant to type {}, expected float or integer", to);
  Constant out = c;
  out.integral = integral;
  if (integral == c.integral) return out;
  out.floats.clear();
  out.integers.clear();
  for (const auto v : c.integers) {
    if (v == batch_extent) fail_user("computes with the batch size, which is free");
    out.floats.push_back(static_cast<double>(v));
  }
  for (const auto v : c.floats) {
    if (!(std::fabs(v) < 9e15)) fail_user("converts {} to an integer", v);
    out.integers.push_back(static_cast<std::int64_t>(v));
  }
  return out;
}

Constant constant_of_shape(Call& call) {
  Dims dims = call.integers(0, "shape");
  if (dims.size() > 8) fail_user("makes a constant of {} axes", dims.size());
  const auto n = checked_count(dims, "the constant");
  account(call.importer(), n);
  Constant v;
  v.floats = {0};
  if (call.attributes.has("value")) v = read_tensor(call.attributes.tensor("value"), "its value");
  if (v.size() != 1) fail_user("repeats a value of {} elements, expected one", v.size());
  v.dims = dims;
  v.floats.resize(v.integral ? 0 : static_cast<std::size_t>(n), v.integral ? 0 : v.floats[0]);
  v.integers.resize(v.integral ? static_cast<std::size_t>(n) : 0, v.integral ? v.integers[0] : 0);
  return v;
}

Constant expand(Call& call) {
  const Constant& c = call.constant(0, "input");
  const Dims target = call.integers(1, "shape");
  if (target.size() > 8) fail_user("expands to {} axes", target.size());
  const Dims dims = broadcast_dims(c.dims, target);
  account(call.importer(), checked_count(dims, "the result"));
  return rearranged(c, dims, broadcast_strides(c.dims, dims));
}

Constant unary(Call& call) {
  Constant c = call.constant(0, "input");
  for (auto& v : c.floats) {
    v = call.op() == "Neg"     ? -v
        : call.op() == "Sqrt"  ? std::sqrt(v)
        : call.op() == "Exp"   ? std::exp(v)
        : call.op() == "Abs"   ? std::fabs(v)
        : call.op() == "Floor" ? std::floor(v)
                               : 1 / v;
    if (!std::isfinite(v)) fail_user("computes {} of a constant for which it is not finite", call.op());
  }
  for (auto& v : c.integers) {
    if (call.op() == "Floor") break;
    if (v == batch_extent || (call.op() != "Neg" && call.op() != "Abs"))
      fail_user("computes {} of an integer constant", call.op());
    v = call.op() == "Neg" ? -v : std::abs(v);
  }
  return c;
}

}  // namespace

Constant fold_binary(Importer& importer, const std::string& op, const Constant& x, const Constant& y) {
  Constant out;
  out.dims = broadcast_dims(x.dims, y.dims);
  out.integral = x.integral && y.integral;
  if (x.integral != y.integral && op != "Pow") fail_user("combines a float and an integer constant");
  const auto n = checked_count(out.dims, "the result");
  account(importer, n);
  const Dims sx = broadcast_strides(x.dims, out.dims), sy = broadcast_strides(y.dims, out.dims);
  std::vector<std::size_t> from;
  from.reserve(static_cast<std::size_t>(n));
  walk(out.dims, sx, [&](std::size_t, std::size_t at) { from.push_back(at); });
  const auto as_real = [](const Constant& c, std::size_t i) {
    return c.integral ? static_cast<double>(c.integers[i]) : c.floats[i];
  };
  walk(out.dims, sy, [&](std::size_t i, std::size_t at) {
    if (out.integral) {
      out.integers.push_back(apply(op, x.integers[from[i]], y.integers[at]));
      return;
    }
    const double v = apply(op, as_real(x, from[i]), as_real(y, at));
    if (!std::isfinite(v)) fail_user("computes {} of constants for which it is not finite", op);
    out.floats.push_back(v);
  });
  return out;
}

bool fold_constants(Call& call) {
  const std::string& op = call.op();
  if (op == "Constant") {
    call.define(constant_node(call));
    return true;
  }
  if (op == "Shape") {
    call.define(shape_of(call));
    return true;
  }
  if (call.input_count() == 0) return false;
  for (int i = 0; i < call.input_count(); ++i)
    if (call.has_input(i) && !call.is_constant(i)) return false;
  call.constant(0, "first input");
  if (op != "ConstantOfShape" && op != "Expand") account(call.importer(), call.constant(0, "input").size());
  if (op == "Identity" || op == "Dropout") {
    call.attributes.ignore_all();
    call.define(call.constant(0, "input"));
  } else if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Pow") {
    call.expect_inputs(2, 2);
    call.define(fold_binary(call.importer(), op, call.constant(0, "input"), call.constant(1, "input")));
  } else if (op == "Neg" || op == "Sqrt" || op == "Exp" || op == "Abs" || op == "Reciprocal" ||
             op == "Floor") {
    call.define(unary(call));
  } else if (op == "Squeeze") {
    call.define(squeeze(call));
  } else if (op == "Unsqueeze") {
    call.define(unsqueeze(call));
  } else if (op == "Reshape") {
    call.define(reshape(call));
  } else if (op == "Transpose") {
    call.define(transpose(call));
  } else if (op == "Concat") {
    call.define(concat(call));
  } else if (op == "Gather") {
    call.define(gather(call));
  } else if (op == "Slice") {
    call.define(slice(call));
  } else if (op == "Cast") {
    call.define(cast(call));
  } else if (op == "ConstantOfShape") {
    call.define(constant_of_shape(call));
  } else if (op == "Expand") {
    call.define(expand(call));
  } else {
    fail_user(
        "computes on constants only, and Velum does not evaluate it: simplify the file's constants first");
  }
  return true;
}

}  // namespace velum::model
