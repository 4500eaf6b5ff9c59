// Softmax, ArgMax and normalisation by the data itself: executed in the clear, not polynomial.
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "model/onnx/broadcast.h"
#include "model/onnx/convert.h"

namespace velum::model {

namespace {

Dims range(std::int64_t first, std::int64_t last) {
  Dims axes(static_cast<std::size_t>(std::max<std::int64_t>(last - first, 0)));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

// Along the axes first to last - 1, as ONNX counts.
AxisFunction along(const std::string& op, const Value& v, std::int64_t first, std::int64_t last) {
  return {op, feature_axis(v, first), feature_axis(v, last - 1) + 1};
}

// Before opset 13 from `axis` (1) to the end, as one; from then on along `axis` (the last) alone.
void soft(Call& call) {
  call.expect_inputs(1, 1);
  const auto rank = rank_of(call.value(0));
  const bool flattened = call.opset() < 13;
  const auto axis = checked_axis(call.attributes.integer("axis", flattened ? 1 : -1), rank);
  const auto last = flattened ? static_cast<std::int64_t>(rank) : axis + 1;
  const Value v = call.beside(0, range(axis, last), "takes the softmax along");
  call.finish(along(call.op(), v, axis, last), {v.tensor}, {}, v.batch);
}

void arg(Call& call) {
  call.expect_inputs(1, 1);
  const auto rank = rank_of(call.value(0));
  const auto axis = checked_axis(call.attributes.integer("axis", 0), rank);
  const bool keep = call.attributes.integer("keepdims", 1) != 0;
  const Value v = call.beside(0, {axis}, "takes the largest along");
  AxisFunction f = along(call.op(), v, axis, axis + 1);
  f.size = call.attributes.integer("select_last_index", 0);
  if (keep) {
    call.finish(f, {v.tensor}, {}, v.batch);
    return;
  }
  Shape out = v.dims;
  out.erase(out.begin() + f.first);
  const int batch = v.batch > axis ? v.batch - 1 : v.batch;
  call.finish(Reshape{}, {call.part(f, {v.tensor})}, out, batch);
}

// Coefficients one a channel.
Coefficients by_channel(Call& call, int input, const char* what, const Shape& shape) {
  Coefficients c{Shape(shape.size(), 1), call.float_weights(input, what)};
  c.dims[0] = shape[0];
  return c;
}

Coefficients zero() {
  return {{}, {0}};
}

void instance_normalisation(Call& call) {
  call.expect_inputs(3, 3);
  call.attributes.ignore("consumed_inputs");
  const Value v = call.in_front(0);
  if (v.dims.size() < 2) fail_user("needs channels and space, its input is {}", to_string(v.dims));
  AxisFunction f{"InstanceNormalization", 1, static_cast<int>(v.dims.size()),
                 call.attributes.real("epsilon", 1e-5)};
  const auto normal = call.part(f, {v.tensor});
  call.finish(ScaleShift{by_channel(call, 1, "scale", v.dims), by_channel(call, 2, "bias", v.dims)},
              {normal});
}

// Scale and bias are one a group in opset 18, one a channel from 21 on.
void group_normalisation(Call& call) {
  call.expect_inputs(3, 3);
  call.attributes.ignore("stash_type");
  const Value v = call.in_front(0);
  const auto groups = call.attributes.integer("num_groups", 0);
  if (v.dims.empty() || groups < 1 || v.dims[0] % groups != 0)
    fail_user("has {} groups for a tensor {}", groups, to_string(v.dims));
  AxisFunction f{"GroupNormalization", 1, 2, call.attributes.real("epsilon", 1e-5)};
  const auto grouped = call.part(Reshape{}, {v.tensor}, {groups, element_count(v.dims) / groups});
  const auto normal = call.part(f, {grouped});
  if (call.opset() < 21) {
    const Shape shape{groups, element_count(v.dims) / groups};
    const auto scaled = call.part(
        ScaleShift{by_channel(call, 1, "scale", shape), by_channel(call, 2, "bias", shape)}, {normal});
    call.finish(Reshape{}, {scaled}, v.dims);
    return;
  }
  const auto back = call.part(Reshape{}, {normal}, v.dims);
  call.finish(ScaleShift{by_channel(call, 1, "scale", v.dims), by_channel(call, 2, "bias", v.dims)}, {back});
}

// Over the axes from `axis` to the last; scale and bias broadcast.
void layer_normalisation(Call& call) {
  const bool centred = call.op() == "LayerNormalization";
  call.expect_inputs(2, centred ? 3 : 2);
  call.attributes.ignore("stash_type");
  const auto rank = rank_of(call.value(0));
  const auto axis = checked_axis(call.attributes.integer("axis", -1), rank);
  const Value v = call.beside(0, range(axis, static_cast<std::int64_t>(rank)), "normalises along");
  AxisFunction f = along(call.op(), v, axis, static_cast<std::int64_t>(rank));
  f.alpha = call.attributes.real("epsilon", 1e-5);
  const auto normal = call.part(f, {v.tensor});
  const auto same = [](double x) { return x; };
  ScaleShift s{coefficients(call.weights(1, "scale"), v.dims, same), zero()};
  if (call.has_input(2)) s.shift = coefficients(call.weights(2, "bias"), v.dims, same);
  call.finish(std::move(s), {normal}, {}, v.batch);
}

void local_response(Call& call) {
  call.expect_inputs(1, 1);
  const Value v = call.in_front(0);
  AxisFunction f{"LRN", 0, 1};
  f.size = call.attributes.integer("size", 0);
  f.alpha = call.attributes.real("alpha", 1e-4);
  f.beta = call.attributes.real("beta", 0.75);
  f.bias = call.attributes.real("bias", 1);
  if (f.size < 1) fail_user("has size {}, expected at least 1", f.size);
  call.finish(f, {v.tensor});
}

// (x - mean) / deviation over the axes; the epsilon of the reference.
void mean_variance(Call& call) {
  call.expect_inputs(1, 1);
  const Dims axes = call.attributes.integers("axes", {0, 2, 3});
  const Value v = call.beside(0, axes, "normalises along");
  Dims own;
  for (const auto a : axes) own.push_back(feature_axis(v, checked_axis(a, rank_of(v))));
  std::sort(own.begin(), own.end());
  if (own.empty() || own.back() - own.front() + 1 != static_cast<std::int64_t>(own.size()))
    fail_user("normalises the axes ({}), expected axes that follow one another", fmt::join(axes, ","));
  AxisFunction f{call.op(), static_cast<int>(own.front()), static_cast<int>(own.back()) + 1, 1e-9};
  call.finish(f, {v.tensor}, {}, v.batch);
}

}  // namespace

bool convert_axis_function(Call& call) {
  const std::string& op = call.op();
  if (op == "Softmax" || op == "LogSoftmax" || op == "Hardmax")
    soft(call);
  else if (op == "ArgMax" || op == "ArgMin")
    arg(call);
  else if (op == "InstanceNormalization")
    instance_normalisation(call);
  else if (op == "GroupNormalization")
    group_normalisation(call);
  else if (op == "LayerNormalization" || op == "RMSNormalization")
    layer_normalisation(call);
  else if (op == "LRN")
    local_response(call);
  else if (op == "MeanVarianceNormalization")
    mean_variance(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
