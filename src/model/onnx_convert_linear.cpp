// Conv, Gemm, MatMul, BatchNormalization.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/onnx_import.h"

namespace velum::model {

namespace {

void convolution(Call& call) {
  call.expect_inputs(2, 3);
  const Shape& in = call.shape(0);
  const Constant& w = call.weights(1, "weights");
  if (in.size() != 3 || w.dims.size() != 4)
    fail_user("convolves a tensor {} with weights {}: only two spatial axes are supported", to_string(in),
              fmt::join(w.dims, "x"));
  const Window v = read_window(call, in, {w.dims[2], w.dims[3]});
  Convolution c;
  c.outputs = w.dims[0];
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
  c.groups = call.attributes.integer("group", 1);
  if (c.groups < 1 || in[0] % c.groups != 0 || w.dims[1] != in[0] / c.groups)
    fail_user("has weights {} in {} groups for an input {}", fmt::join(w.dims, "x"), c.groups, to_string(in));
  c.weights = call.float_weights(1, "weights");
  if (call.has_input(2)) c.bias = call.float_weights(2, "bias");
  call.finish(std::move(c), {call.tensor(0)});
}

// A matrix of [inputs][outputs], or transposed, as the rows of a dense layer.
Dense dense(const Constant& m, bool rows_are_outputs, double factor, std::string_view what) {
  if (m.dims.size() != 2) fail_user("has {} of shape {}, expected a matrix", what, fmt::join(m.dims, "x"));
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
  const auto& x = call.tensor(0);
  Dense d = dense(call.weights(1, "matrix"), transposed, alpha, "a matrix");
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

void matmul(Call& call) {
  call.expect_inputs(2, 2);
  if (call.is_constant(0))
    fail_user(
        "multiplies a constant by the images from the left, which would mix the batch with the features");
  if (!call.is_constant(1))
    fail_user("is a product of two matrices computed from the images, which is not supported");
  const Shape& in = call.shape(0);
  Dense d = dense(call.weights(1, "matrix"), false, 1, "a matrix");
  if (in.empty() || std::any_of(in.begin(), in.end() - 1, [](std::int64_t n) { return n != 1; }))
    fail_user("multiplies a matrix to the last axis of {} alone: flatten the features to a vector first",
              to_string(in));
  if (in.size() == 1) {
    call.finish(std::move(d), {call.tensor(0)});
    return;
  }
  Shape out = in;
  out.back() = d.outputs;
  const auto flat = call.part(Reshape{}, {call.tensor(0)}, {in.back()});
  call.finish(Reshape{}, {call.part(std::move(d), {flat})}, out);
}

void batch_normalisation(Call& call) {
  call.expect_inputs(5, 5);
  if (call.attributes.integer("training_mode", 0) != 0)
    fail_user("is in training mode: export the network after model.eval()");
  const double epsilon = call.attributes.real("epsilon", 1e-5);
  call.attributes.ignore("momentum");
  const Shape& in = call.shape(0);
  if (in.empty()) fail_user("needs channels, its input is a single number");
  const Constant &scale = call.weights(1, "scale"), &shift = call.weights(2, "bias"),
                 &mean = call.weights(3, "mean"), &variance = call.weights(4, "variance");
  const auto channels = static_cast<std::size_t>(in[0]);
  for (const auto* c : {&scale, &shift, &mean, &variance})
    if (c->floats.size() != channels) fail_user("has {} values for {} channels", c->floats.size(), channels);
  ScaleShift s;
  s.scale.dims.assign(in.size(), 1);
  s.scale.dims[0] = in[0];
  s.shift.dims = s.scale.dims;
  for (std::size_t i = 0; i < channels; ++i) {
    if (!(variance.floats[i] + epsilon > 0))
      fail_user("has variance {} for channel {}, expected a positive one", variance.floats[i], i);
    const double a = scale.floats[i] / std::sqrt(variance.floats[i] + epsilon);
    s.scale.values.push_back(static_cast<float>(a));
    s.shift.values.push_back(static_cast<float>(shift.floats[i] - a * mean.floats[i]));
  }
  call.finish(std::move(s), {call.tensor(0)});
}

}  // namespace

bool convert_linear(Call& call) {
  const std::string& op = call.op();
  if (op == "Conv")
    convolution(call);
  else if (op == "Gemm")
    gemm(call);
  else if (op == "MatMul")
    matmul(call);
  else if (op == "BatchNormalization")
    batch_normalisation(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
