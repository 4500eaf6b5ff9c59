#include "model/shapes.h"

#include <algorithm>
#include <type_traits>

#include "base/error.h"

namespace velum::model {

namespace {

void need_inputs(const std::vector<Shape>& inputs, std::size_t low, std::size_t high) {
  if (inputs.size() >= low && inputs.size() <= high) return;
  if (low == high) fail_user("takes {} input{}, has {}", low, low == 1 ? "" : "s", inputs.size());
  fail_user("takes at least {} inputs, has {}", low, inputs.size());
}

void need_feature_map(const Shape& s) {
  if (s.size() != 3)
    fail_user("needs a feature map (channels x height x width), its input is {} with {} axes", to_string(s),
              s.size());
}

void need_size(const char* what, std::size_t have, std::int64_t expected) {
  if (static_cast<std::int64_t>(have) != expected) fail_user("has {} {}, expected {}", have, what, expected);
}

void need_extent(const char* what, std::int64_t value, std::int64_t low) {
  if (value < low || value > max_window_extent)
    fail_user("has {} {}, expected {} to {}", what, value, low, max_window_extent);
}

// Number of weights, exact because every factor is bounded.
std::int64_t product(std::initializer_list<std::int64_t> factors) {
  std::int64_t p = 1;
  for (const auto f : factors)
    if (__builtin_mul_overflow(p, f, &p)) fail_user("has more weights than any file holds");
  return p;
}

Shape shape_of(const Convolution& c, const Shape& in) {
  need_feature_map(in);
  if (c.outputs < 1 || c.outputs > max_tensor_elements) fail_user("has {} output channels", c.outputs);
  if (c.groups < 1 || in[0] % c.groups != 0 || c.outputs % c.groups != 0)
    fail_user("has {} groups, which do not divide its {} input and {} output channels", c.groups, in[0],
              c.outputs);
  need_size("weights", c.weights.size(), product({c.outputs, in[0] / c.groups, c.kernel_h, c.kernel_w}));
  if (!c.bias.empty()) need_size("biases", c.bias.size(), c.outputs);
  return {c.outputs, window_positions(in[1], c.kernel_h, c.stride_h, c.dilation_h, c.pad_top, c.pad_bottom),
          window_positions(in[2], c.kernel_w, c.stride_w, c.dilation_w, c.pad_left, c.pad_right)};
}

Shape shape_of(const Dense& d, const Shape& in) {
  if (in.size() != 1) fail_user("needs a vector, its input is {}: flatten it first", to_string(in));
  if (d.outputs < 1 || d.outputs > max_tensor_elements) fail_user("has {} outputs", d.outputs);
  need_size("weights", d.weights.size(), product({d.outputs, in[0]}));
  if (!d.bias.empty()) need_size("biases", d.bias.size(), d.outputs);
  return {d.outputs};
}

Shape shape_of(const AveragePool& p, const Shape& in) {
  need_feature_map(in);
  // A window wholly in the padding would average nothing.
  const auto outside = [](std::int64_t before, std::int64_t after, std::int64_t kernel) {
    return before >= kernel || after >= kernel;
  };
  if (outside(p.pad_top, p.pad_bottom, p.kernel_h) || outside(p.pad_left, p.pad_right, p.kernel_w))
    fail_user("pads {},{},{},{} (top, left, bottom, right), as wide as its {}x{} window", p.pad_top,
              p.pad_left, p.pad_bottom, p.pad_right, p.kernel_h, p.kernel_w);
  return {in[0], window_positions(in[1], p.kernel_h, p.stride_h, 1, p.pad_top, p.pad_bottom),
          window_positions(in[2], p.kernel_w, p.stride_w, 1, p.pad_left, p.pad_right)};
}

Shape shape_of(const Pad& p, const Shape& in) {
  need_feature_map(in);
  for (const auto v : {p.top, p.left, p.bottom, p.right}) need_extent("a padding of", v, 0);
  return {in[0], in[1] + p.top + p.bottom, in[2] + p.left + p.right};
}

Shape shape_of(const Transpose& t, const Shape& in) {
  std::vector<int> sorted = t.axes;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int>(i)) fail_user("permutes axes that are not 0 to {}", sorted.size() - 1);
  if (t.axes.size() != in.size()) fail_user("permutes {} axes of a tensor {}", t.axes.size(), to_string(in));
  Shape out;
  for (const int axis : t.axes) out.push_back(in[static_cast<std::size_t>(axis)]);
  return out;
}

Shape shape_of(const Linear& l, const Shape& in) {
  check_shape(l.shape);
  const auto outputs = element_count(l.shape), inputs = element_count(in);
  need_size("rows", l.row_begin.size(), outputs + 1);
  if (l.row_begin.front() != 0 || l.row_begin.back() != l.columns.size() ||
      !std::is_sorted(l.row_begin.begin(), l.row_begin.end()))
    fail_user("has rows that do not follow one another");
  for (const auto c : l.columns)
    if (c >= inputs) fail_user("reads element {} of a tensor {}", c, to_string(in));
  if (!l.weights.empty()) need_size("weights", l.weights.size(), static_cast<std::int64_t>(l.columns.size()));
  if (!l.bias.empty()) need_size("biases", l.bias.size(), outputs);
  return l.shape;
}

}  // namespace

bool reduces(const AxisFunction& f) {
  return f.op == "ArgMax" || f.op == "ArgMin" || f.op.starts_with("Reduce");
}

namespace {

Shape shape_of(const AxisFunction& f, const Shape& in) {
  const int rank = static_cast<int>(in.size());
  if (f.first < 0 || f.last <= f.first || f.last > rank)
    fail_user("works along the axes {} to {} of a tensor with {} axes", f.first, f.last - 1, rank);
  if (!reduces(f)) return in;
  Shape out = in;
  for (int a = f.first; a < f.last; ++a) out[static_cast<std::size_t>(a)] = 1;
  return out;
}

Shape concatenated(const std::vector<Shape>& inputs) {
  Shape out = inputs[0];
  if (out.empty()) fail_user("cannot join single numbers: reshape them to vectors first");
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const Shape& s = inputs[i];
    if (s.size() != out.size() || !std::equal(s.begin() + 1, s.end(), out.begin() + 1))
      fail_user("joins {} and {}, which differ in more than their channels", to_string(inputs[0]),
                to_string(s));
    out[0] += s[0];
  }
  return out;
}

void need_equal(const std::vector<Shape>& inputs) {
  for (const auto& s : inputs)
    if (s != inputs[0])
      fail_user("combines {} with {}: branches must have the same shape", to_string(inputs[0]), to_string(s));
}

Shape reshaped(const Shape& in, const Shape& target) {
  const auto n = element_count(in);
  if (target.empty() && n != 1) return {n};
  check_shape(target);
  if (element_count(target) != n)
    fail_user("reshapes {} ({} elements) to {} ({} elements)", to_string(in), n, to_string(target),
              element_count(target));
  return target;
}

}  // namespace

std::int64_t window_positions(std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                              std::int64_t dilation, std::int64_t pad_before, std::int64_t pad_after) {
  need_extent("a kernel extent of", kernel, 1);
  need_extent("a stride of", stride, 1);
  need_extent("a dilation of", dilation, 1);
  need_extent("a padding of", pad_before, 0);
  need_extent("a padding of", pad_after, 0);
  const std::int64_t span = dilation * (kernel - 1) + 1, room = extent + pad_before + pad_after;
  if (span > room) fail_user("has a window of {} on an axis of {} elements, padding included", span, room);
  return (room - span) / stride + 1;
}

void check_coefficients(const Coefficients& c, const Shape& shape, std::string_view what) {
  if (!c.dims.empty()) {
    bool fits = c.dims.size() == shape.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i) fits = c.dims[i] == 1 || c.dims[i] == shape[i];
    if (!fits)
      fail_user("has '{}' coefficients of shape {} for a tensor {}", what, to_string(c.dims),
                to_string(shape));
  }
  if (static_cast<std::int64_t>(c.values.size()) != element_count(c.dims))
    fail_user("has {} '{}' coefficients, expected {}", c.values.size(), what, element_count(c.dims));
}

void check_shape(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto d : shape) {
    if (d < 1) fail_user("has a tensor of shape {}: every axis must be at least 1", to_string(shape));
    if (d > max_tensor_elements || n * d > max_tensor_elements)
      fail_user("has a tensor of shape {}: more than {} elements cannot be encrypted one by one",
                to_string(shape), max_tensor_elements);
    n *= d;
  }
}

Shape infer_shape(const Node& node, const std::vector<Shape>& inputs) {
  const auto any = std::numeric_limits<std::size_t>::max();
  if (std::holds_alternative<Multiply>(node.op))
    need_inputs(inputs, 2, 2);
  else if (std::holds_alternative<Function>(node.op) || std::holds_alternative<Concat>(node.op) ||
           std::holds_alternative<Combine>(node.op))
    need_inputs(inputs, 1, any);
  else
    need_inputs(inputs, 1, 1);
  const Shape& in = inputs[0];
  Shape out = std::visit(
      [&](const auto& op) -> Shape {
        using T = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<T, ScaleShift>) {
          check_coefficients(op.scale, in, "scale");
          check_coefficients(op.shift, in, "shift");
          return in;
        } else if constexpr (std::is_same_v<T, Quadratic>) {
          check_coefficients(op.a, in, "a");
          check_coefficients(op.b, in, "b");
          check_coefficients(op.c, in, "c");
          return in;
        } else if constexpr (std::is_same_v<T, GlobalAveragePool>) {
          need_feature_map(in);
          return {in[0], 1, 1};
        } else if constexpr (std::is_same_v<T, MaxPool>) {
          return shape_of(op.window, in);
        } else if constexpr (std::is_same_v<T, Reshape>) {
          return reshaped(in, node.shape);
        } else if constexpr (std::is_same_v<T, Concat>) {
          return concatenated(inputs);
        } else if constexpr (std::is_same_v<T, Combine>) {
          need_equal(inputs);
          need_size("factors", op.factors.size(), static_cast<std::int64_t>(inputs.size()));
          return in;
        } else if constexpr (std::is_same_v<T, Multiply> || std::is_same_v<T, Function>) {
          need_equal(inputs);
          return in;
        } else if constexpr (std::is_same_v<T, Relu> || std::is_same_v<T, Unsupported>) {
          return in;
        } else {
          return shape_of(op, in);
        }
      },
      node.op);
  check_shape(out);
  return out;
}

}  // namespace velum::model
