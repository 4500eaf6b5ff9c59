// AveragePool, GlobalAveragePool, ReduceMean, MaxPool, Pad; and the window of Conv and the pools.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx_import.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

using Extents = std::vector<std::int64_t>;

Extents checked(const char* what, Extents values, std::size_t count, std::int64_t low) {
  if (values.size() != count) fail_user("has {} {}, expected {}", values.size(), what, count);
  for (const auto v : values)
    if (v < low || v > max_window_extent)
      fail_user("has {} ({}), expected {} to {}", what, fmt::join(values, ","), low, max_window_extent);
  return values;
}

// Padding that auto_pad asks for along one axis: as many positions as the input divided by the stride,
// rounded up.
std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t extent, std::int64_t span,
                                                   std::int64_t stride, bool upper) {
  const std::int64_t positions = (extent + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((positions - 1) * stride + span - extent, 0);
  return upper ? std::pair{total / 2, total - total / 2} : std::pair{total - total / 2, total / 2};
}

AveragePool read_pool(Call& call, const Shape& in) {
  if (in.size() != 3) fail_user("pools a tensor {}: only two spatial axes are supported", to_string(in));
  if (!call.attributes.has("kernel_shape")) fail_user("lacks attribute 'kernel_shape'");
  const Window w = read_window(call, in, {});
  if (w.dilation_h != 1 || w.dilation_w != 1)
    fail_user("has dilations ({},{}), which pools support as 1 only", w.dilation_h, w.dilation_w);
  if (call.attributes.integer("ceil_mode", 0) != 0) {
    // Rounding up changes nothing where the windows end exactly at the border.
    const auto left = [](std::int64_t extent, std::int64_t kernel, std::int64_t stride) {
      return extent >= kernel ? (extent - kernel) % stride : 0;
    };
    if (left(in[1] + w.pad_top + w.pad_bottom, w.kernel_h, w.stride_h) != 0 ||
        left(in[2] + w.pad_left + w.pad_right, w.kernel_w, w.stride_w) != 0)
      fail_user(
          "has ceil_mode = 1 with windows that reach beyond {}: export it with ceil_mode = False, or a size "
          "that "
          "the stride divides",
          to_string(in));
  }
  AveragePool p;
  p.kernel_h = w.kernel_h;
  p.kernel_w = w.kernel_w;
  p.stride_h = w.stride_h;
  p.stride_w = w.stride_w;
  p.pad_top = w.pad_top;
  p.pad_left = w.pad_left;
  p.pad_bottom = w.pad_bottom;
  p.pad_right = w.pad_right;
  return p;
}

void average_pool(Call& call) {
  call.expect_inputs(1, 1);
  AveragePool p = read_pool(call, call.shape(0));
  p.count_include_pad = call.attributes.integer("count_include_pad", 0) != 0;
  call.finish(p, {call.tensor(0)});
}

void max_pool(Call& call) {
  call.expect_inputs(1, 1);
  call.attributes.ignore("storage_order");  // of the indices, the second output
  call.finish(MaxPool{read_pool(call, call.shape(0))}, {call.tensor(0)});
}

void reduce_mean(Call& call) {
  call.expect_inputs(1, 2);
  const Shape in = call.shape(0);
  const std::size_t rank = in.size() + 1;
  Extents axes = call.attributes.has("axes") ? call.attributes.integers("axes", {})
                 : call.has_input(1)         ? call.integers(1, "axes")
                                             : Extents{};
  const bool keep = call.attributes.integer("keepdims", 1) != 0;
  for (auto& a : axes) a = checked_axis(a, rank);
  const auto reduces = [&](std::int64_t axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  if (in.size() != 3 || axes.empty() || reduces(0) || reduces(1))
    fail_user("averages a tensor {} over axes ({}), batch axis 0 included: only spatial axes are supported",
              to_string(in), fmt::join(axes, ","));
  AveragePool p;
  p.kernel_h = reduces(2) ? in[1] : 1;
  p.kernel_w = reduces(3) ? in[2] : 1;
  const Operation op = reduces(2) && reduces(3) ? Operation(GlobalAveragePool{}) : Operation(p);
  if (keep) {
    call.finish(op, {call.tensor(0)});
    return;
  }
  Shape out{in[0]};
  if (!reduces(2)) out.push_back(in[1]);
  if (!reduces(3)) out.push_back(in[2]);
  call.finish(Reshape{}, {call.part(op, {call.tensor(0)})}, out);
}

void pad(Call& call) {
  call.expect_inputs(2, 3);
  const std::string mode = call.attributes.text("mode", "constant");
  const Extents pads = call.integers(1, "pads");
  const Shape& in = call.shape(0);
  const std::size_t rank = in.size() + 1;
  if (pads.size() != 2 * rank) fail_user("has {} pads for {} axes, expected {}", pads.size(), rank, 2 * rank);
  if (std::all_of(pads.begin(), pads.end(), [](std::int64_t p) { return p == 0; })) {
    call.alias(call.tensor(0));
    return;
  }
  if (mode != "constant") fail_user("pads in mode '{}', only 'constant' with zeros is supported", mode);
  if (call.has_input(2)) {
    const Constant& value = call.weights(2, "value");
    if (value.floats.size() != 1 || value.floats[0] != 0)
      fail_user("pads with {}, only zeros are supported", value.floats.empty() ? 0.0 : value.floats[0]);
  }
  if (in.size() != 3 || pads[0] || pads[1] || pads[rank] || pads[rank + 1])
    fail_user("pads ({}) of a tensor {}, only spatial axes can be padded", fmt::join(pads, ","),
              to_string(in));
  checked("pads", pads, 2 * rank, 0);
  call.finish(Pad{pads[2], pads[3], pads[rank + 2], pads[rank + 3]}, {call.tensor(0)});
}

}  // namespace

Window read_window(Call& call, const Shape& in, std::vector<std::int64_t> kernel) {
  auto& a = call.attributes;
  const Extents stated = checked("kernel_shape", a.integers("kernel_shape", kernel), 2, 1);
  if (!kernel.empty() && stated != kernel)
    fail_user("has kernel_shape ({}), its weights have {}", fmt::join(stated, ","), fmt::join(kernel, "x"));
  const Extents strides = checked("strides", a.integers("strides", {1, 1}), 2, 1);
  const Extents dilations = checked("dilations", a.integers("dilations", {1, 1}), 2, 1);
  const Extents pads = checked("pads", a.integers("pads", {0, 0, 0, 0}), 4, 0);
  Window w{stated[0],    stated[1], strides[0], strides[1], dilations[0],
           dilations[1], pads[0],   pads[1],    pads[2],    pads[3]};
  const std::string mode = a.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return w;
  if (mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
    fail_user("has auto_pad '{}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", mode);
  if (pads != Extents{0, 0, 0, 0}) fail_user("has both pads and auto_pad '{}'", mode);
  if (mode == "VALID") return w;
  const auto span = [](std::int64_t k, std::int64_t dilation) { return dilation * (k - 1) + 1; };
  const bool upper = mode == "SAME_UPPER";
  std::tie(w.pad_top, w.pad_bottom) = same_padding(in[1], span(w.kernel_h, w.dilation_h), w.stride_h, upper);
  std::tie(w.pad_left, w.pad_right) = same_padding(in[2], span(w.kernel_w, w.dilation_w), w.stride_w, upper);
  return w;
}

bool convert_pool(Call& call) {
  const std::string& op = call.op();
  if (op == "AveragePool") {
    average_pool(call);
  } else if (op == "GlobalAveragePool") {
    call.expect_inputs(1, 1);
    call.finish(GlobalAveragePool{}, {call.tensor(0)});
  } else if (op == "ReduceMean") {
    reduce_mean(call);
  } else if (op == "MaxPool") {
    max_pool(call);
  } else if (op == "Pad") {
    pad(call);
  } else {
    return false;
  }
  return true;
}

}  // namespace velum::model
