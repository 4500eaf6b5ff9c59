// Conv, ConvTranspose, Gemm, BatchNormalization; MatMul and Einsum are in convert_product.cpp.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"

namespace velum::model {

namespace {

void need_two_axes(const Call& call, const Shape& in, const Constant& w) {
  if ((in.size() != 3 && in.size() != 2) || w.dims.size() != in.size() + 1)
    fail_user("{} a tensor {} with weights {}: one or two spatial axes are supported",
              call.op() == "Conv" ? "convolves" : "spreads", to_string(in), fmt::join(w.dims, "x"));
}

// The result {O,H,W}, back to one spatial axis where the input had one.
void finish_map(Call& call, const Value& in, Operation op, const std::string& from) {
  if (in.dims.size() == 3) {
    call.finish(std::move(op), {from});
    return;
  }
  const auto map = call.part(std::move(op), {from});
  const Shape& s = call.importer().shapes.at(map);
  call.finish(Reshape{}, {map}, {s[0], s[2]});
}

Convolution with_window(const Window& v) {
  Convolution c;
  c.kernel_h = v.kernel_h;
  c.kernel_w = v.kernel_w;
  c.stride_h = v.stride_h;
  c.stride_w = v.stride_w;
  c.dilation_h = v.dilation_h;
  c.dilation_w = v.dilation_w;
  c.pad_top = v.pad_top;
  c.pad_left = v.pad_left;
  c.pad_bottom = v.pad_bottom;
  c.pad_right = v.pad_right;
  return c;
}

void convolution(Call& call) {
  call.expect_inputs(2, 3);
  const Value in = call.in_front(0);
  const Constant& w = call.weights(1, "weights");
  need_two_axes(call, in.dims, w);
  Convolution c = with_window(read_window(call, in.dims, Dims(w.dims.begin() + 2, w.dims.end())));
  c.outputs = w.dims[0];
  c.groups = call.attributes.integer("group", 1);
  if (c.groups < 1 || in.dims[0] % c.groups != 0 || w.dims[1] != in.dims[0] / c.groups)
    fail_user("has weights {} in {} groups for an input {}", fmt::join(w.dims, "x"), c.groups,
              to_string(in.dims));
  c.weights = call.float_weights(1, "weights");
  if (call.has_input(2)) c.bias = call.float_weights(2, "bias");
  finish_map(call, in, std::move(c), as_map(call, in).tensor);
}

// One axis of a transposed convolution: the input's elements `stride` apart, zeros between and around, then
// an ordinary convolution with the flipped kernel.
struct Spread {
  std::int64_t stride, before, after, extent;  // `before` and `after` may be negative: elements left out
  std::int64_t length() const { return (extent - 1) * stride + 1 + before + after; }
  // The input's position at place x of the spread axis; -1: zero.
  std::int64_t source(std::int64_t x) const {
    const auto at = x - before;
    return at < 0 || at % stride != 0 || at / stride >= extent ? -1 : at / stride;
  }
};

Spread spread(std::int64_t extent, std::int64_t stride, std::int64_t span, std::int64_t pad_before,
              std::int64_t pad_after, std::int64_t output_padding) {
  return {stride, span - 1 - pad_before, span - 1 - pad_after + output_padding, extent};
}

// Weights [C][O/g][kh][kw] of the operator as [O][C/g][kh][kw], each kernel turned round.
std::vector<float> flipped(const std::vector<float>& w, std::int64_t channels, std::int64_t outputs,
                           std::int64_t groups, std::int64_t taps) {
  std::vector<float> out(w.size());
  const auto in_group = channels / groups, out_group = outputs / groups;
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t c = 0; c < in_group; ++c)
      for (std::int64_t t = 0; t < taps; ++t) {
        const auto channel = o / out_group * in_group + c;
        out[static_cast<std::size_t>((o * in_group + c) * taps + t)] =
            w[static_cast<std::size_t>((channel * out_group + o % out_group) * taps + taps - 1 - t)];
      }
  return out;
}

// Padding where the file states the size of the output, or leaves it to auto_pad.
void pads_for_output(Call& call, std::int64_t& before, std::int64_t& after, std::int64_t whole,
                     std::int64_t wanted) {
  const auto total = whole - wanted;
  if (total < 0) fail_user("has an output_shape of {} where its windows reach {}", wanted, whole);
  before = call.attributes.text("auto_pad", "NOTSET") == "SAME_UPPER" ? total / 2 : total - total / 2;
  after = total - before;
}

void transposed_convolution(Call& call) {
  call.expect_inputs(2, 3);
  const Value in = call.in_front(0);
  const Constant& w = call.weights(1, "weights");
  need_two_axes(call, in.dims, w);
  const std::size_t spatial = in.dims.size() - 1;
  const Value map = as_map(call, in);
  const auto groups = call.attributes.integer("group", 1), outputs = w.dims[1] * groups;
  if (groups < 1 || w.dims[0] != in.dims[0] || in.dims[0] % groups != 0)
    fail_user("has weights {} in {} groups for an input {}", fmt::join(w.dims, "x"), groups,
              to_string(in.dims));
  const auto listed = [&](const char* name, std::int64_t otherwise) {
    Dims v = call.attributes.integers(name, Dims(spatial, otherwise));
    if (v.size() != spatial) fail_user("has {} {}, expected {}", v.size(), name, spatial);
    if (spatial == 1) v.insert(v.begin(), otherwise);
    return v;
  };
  const Dims kernel = listed("kernel_shape", 1), strides = listed("strides", 1),
             dilations = listed("dilations", 1), extra = listed("output_padding", 0);
  Dims pads = call.attributes.integers("pads", Dims(2 * spatial, 0));
  if (pads.size() != 2 * spatial) fail_user("has {} pads, expected {}", pads.size(), 2 * spatial);
  if (spatial == 1) pads = {0, pads[0], 0, pads[1]};
  const Dims weights_kernel(w.dims.begin() + 2, w.dims.end());
  const Dims own = spatial == 1 ? Dims{1, weights_kernel[0]} : weights_kernel;
  if (call.attributes.has("kernel_shape") && kernel != own)
    fail_user("has kernel_shape ({}), its weights have {}", fmt::join(kernel, ","), fmt::join(own, "x"));
  const bool sized = call.attributes.has("output_shape");
  const Dims wanted = sized ? listed("output_shape", 1) : Dims{};
  const auto mode = call.attributes.text("auto_pad", "NOTSET");
  Spread axes[2];
  for (std::size_t a = 0; a < 2; ++a) {
    for (const auto v : {own[a], strides[a], dilations[a]})
      if (v < 1 || v > 4096) fail_user("has kernel, strides or dilations of {}, expected 1 to 4096", v);
    if (extra[a] < 0 || extra[a] > 4096) fail_user("has output_padding {}", extra[a]);
    const auto span = dilations[a] * (own[a] - 1) + 1, extent = map.dims[a + 1];
    const auto whole = strides[a] * (extent - 1) + extra[a] + span;
    if (sized && (spatial == 2 || a == 1))
      pads_for_output(call, pads[a], pads[a + 2], whole, wanted[a]);
    else if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
      pads_for_output(call, pads[a], pads[a + 2], whole, extent * strides[a]);
    axes[a] = spread(extent, strides[a], span, pads[a], pads[a + 2], extra[a]);
    if (axes[a].length() < span) fail_user("has no output: its padding is as wide as its windows");
  }
  Convolution c;
  c.outputs = outputs;
  c.kernel_h = own[0];
  c.kernel_w = own[1];
  c.dilation_h = dilations[0];
  c.dilation_w = dilations[1];
  c.groups = groups;
  c.weights = flipped(call.float_weights(1, "weights"), in.dims[0], outputs, groups, own[0] * own[1]);
  if (call.has_input(2)) c.bias = call.float_weights(2, "bias");
  const auto& s = map.dims;
  Linear rows = moved({s[0], axes[0].length(), axes[1].length()}, [&](const Dims& i) -> std::int64_t {
    const auto y = axes[0].source(i[1]), x = axes[1].source(i[2]);
    return y < 0 || x < 0 ? -1 : (i[0] * s[1] + y) * s[2] + x;
  });
  finish_map(call, in, std::move(c), call.part(std::move(rows), {map.tensor}));
}

// A matrix of [inputs][outputs], or transposed, as the rows of a dense layer.
Dense dense(const Constant& m, bool rows_are_outputs, double factor) {
  if (m.dims.size() != 2) fail_user("has a matrix of shape {}, expected a matrix", fmt::join(m.dims, "x"));
  const auto rows = static_cast<std::size_t>(m.dims[0]), columns = static_cast<std::size_t>(m.dims[1]);
  Dense d;
  d.outputs = m.dims[rows_are_outputs ? 0 : 1];
  d.weights.resize(m.floats.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      d.weights[rows_are_outputs ? r * columns + c : c * rows + r] =
          static_cast<float>(factor * m.floats[r * columns + c]);
  return d;
}

// Gemm's C: a number, or one number an output.
std::vector<float> gemm_bias(const Constant& c, double factor, std::int64_t outputs) {
  const auto n = static_cast<std::size_t>(outputs);
  const bool leading_ones = std::all_of(c.dims.begin(), c.dims.empty() ? c.dims.end() : c.dims.end() - 1,
                                        [](std::int64_t d) { return d == 1; });
  if (c.dims.size() > 2 || !leading_ones || (c.floats.size() != 1 && c.floats.size() != n))
    fail_user("adds a constant of shape {} to {} outputs", fmt::join(c.dims, "x"), outputs);
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i)
    out[i] = static_cast<float>(factor * c.floats[c.floats.size() == 1 ? 0 : i]);
  return out;
}

void gemm(Call& call) {
  call.expect_inputs(2, 3);
  const double alpha = call.attributes.real("alpha", 1), beta = call.attributes.real("beta", 1);
  const bool transposed = call.attributes.integer("transB", 0) != 0;
  if (call.attributes.integer("transA", 0) != 0)
    fail_user("transposes its images (transA = 1), which would mix the batch with the features");
  if (call.opset() < 7) call.attributes.ignore("broadcast");
  const Value in = call.in_front(0);
  if (in.dims.size() != 1)
    fail_user("multiplies a tensor {} (batch axis left out), expected a vector: flatten it first",
              to_string(in.dims));
  const auto& x = in.tensor;
  Dense d = dense(call.weights(1, "matrix"), transposed, alpha);
  if (!call.has_input(2) || beta == 0) {
    call.finish(std::move(d), {x});
  } else if (call.is_constant(2)) {
    d.bias = gemm_bias(call.weights(2, "bias"), beta, d.outputs);
    call.finish(std::move(d), {x});
  } else {
    const auto product = call.part(std::move(d), {x});
    call.finish(Combine{{1, beta}}, {product, call.tensor(2)});
  }
}

void expect_inference(Call& call) {
  auto& a = call.attributes;
  const bool old = call.opset() < 7;
  if (a.integer("training_mode", 0) != 0 || (old && a.integer("is_test", 0) == 0))
    fail_user("is in training mode: export the network after model.eval()");
  for (const auto* name : {"momentum", "consumed_inputs"}) a.ignore(name);
}

void batch_normalisation(Call& call) {
  call.expect_inputs(5, 5);
  expect_inference(call);
  const double epsilon = call.attributes.real("epsilon", 1e-5);
  const bool by_element = call.opset() < 9 && call.attributes.integer("spatial", 1) == 0;
  const Value in = call.in_front(0);
  if (in.dims.empty()) fail_user("needs channels, its input is a single number");
  const Constant &scale = call.weights(1, "scale"), &shift = call.weights(2, "bias"),
                 &mean = call.weights(3, "mean"), &variance = call.weights(4, "variance");
  const auto count = static_cast<std::size_t>(by_element ? element_count(in.dims) : in.dims[0]);
  for (const auto* c : {&scale, &shift, &mean, &variance})
    if (c->floats.size() != count)
      fail_user("has {} values for {} {}", c->floats.size(), count, by_element ? "elements" : "channels");
  ScaleShift s;
  s.scale.dims = in.dims;
  if (!by_element) std::fill(s.scale.dims.begin() + 1, s.scale.dims.end(), 1);
  s.shift.dims = s.scale.dims;
  for (std::size_t i = 0; i < count; ++i) {
    if (!(variance.floats[i] + epsilon > 0))
      fail_user("has variance {} for channel {}, expected a positive one", variance.floats[i], i);
    const double a = scale.floats[i] / std::sqrt(variance.floats[i] + epsilon);
    s.scale.values.push_back(static_cast<float>(a));
    s.shift.values.push_back(static_cast<float>(shift.floats[i] - a * mean.floats[i]));
  }
  call.finish(std::move(s), {in.tensor});
}

}  // namespace

Value as_map(Call& call, const Value& v) {
  return v.dims.size() == 2 ? call.part_of(v, Reshape{}, {v.dims[0], 1, v.dims[1]}) : v;
}

bool convert_linear(Call& call) {
  const std::string& op = call.op();
  if (op == "Conv")
    convolution(call);
  else if (op == "ConvTranspose")
    transposed_convolution(call);
  else if (op == "Gemm")
    gemm(call);
  else if (op == "BatchNormalization")
    batch_normalisation(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
