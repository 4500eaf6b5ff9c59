// AveragePool, MaxPool, GlobalAveragePool, GlobalMaxPool; and the window of Conv and the pools.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

Dims checked(const char* what, Dims values, std::size_t count, std::int64_t low) {
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

// What ceil_mode adds behind one axis, so that the last window, cut off by the border, is a whole one. A
// window that would start behind the input and its padding in front is left out.
std::int64_t overhang(std::int64_t extent, std::int64_t span, std::int64_t stride, std::int64_t before,
                      std::int64_t after) {
  const auto room = extent + before + after;
  if (room < span) return 0;
  const auto rest = (room - span) % stride;
  const auto start = (room - span) / stride * stride + stride;  // of one more window
  return rest == 0 || start >= extent + before ? 0 : stride - rest;
}

struct Pool {
  Window window;
  std::int64_t over_h = 0, over_w = 0;  // behind the padding: counts as nothing
};

Pool read_pool(Call& call, const Shape& in) {
  if (in.size() != 3 && in.size() != 2)
    fail_user("pools a tensor {}: one or two spatial axes are supported", to_string(in));
  if (!call.attributes.has("kernel_shape")) fail_user("lacks attribute 'kernel_shape'");
  Pool p{read_window(call, in, {})};
  const Window& w = p.window;
  if (call.attributes.integer("ceil_mode", 0) != 0) {
    const auto span_h = w.dilation_h * (w.kernel_h - 1) + 1, span_w = w.dilation_w * (w.kernel_w - 1) + 1;
    p.over_w = overhang(in.back(), span_w, w.stride_w, w.pad_left, w.pad_right);
    if (in.size() == 3) p.over_h = overhang(in[1], span_h, w.stride_h, w.pad_top, w.pad_bottom);
  }
  return p;
}

AveragePool as_layer(const Pool& pool) {
  const Window& w = pool.window;
  AveragePool p;
  p.kernel_h = w.kernel_h;
  p.kernel_w = w.kernel_w;
  p.stride_h = w.stride_h;
  p.stride_w = w.stride_w;
  p.pad_top = w.pad_top;
  p.pad_left = w.pad_left;
  p.pad_bottom = w.pad_bottom + pool.over_h;
  p.pad_right = w.pad_right + pool.over_w;
  return p;
}

// The pool as rows, for what the layer does not say: dilations, and padding that counts where the windows
// reach beyond it.
Linear average_rows(const Pool& pool, bool count_padding, const Shape& in) {
  const Window& w = pool.window;
  const auto oh =
      window_positions(in[1], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom + pool.over_h);
  const auto ow =
      window_positions(in[2], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right + pool.over_w);
  RowBuilder rows({in[0], oh, ow});
  for_each(rows.dims(), [&](const Dims& at) {
    Dims inside;
    std::int64_t counted = 0;
    for (std::int64_t ky = 0; ky < w.kernel_h; ++ky)
      for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) {
        const auto y = at[1] * w.stride_h - w.pad_top + ky * w.dilation_h;
        const auto x = at[2] * w.stride_w - w.pad_left + kx * w.dilation_w;
        const bool in_map = y >= 0 && y < in[1] && x >= 0 && x < in[2];
        if (in_map) inside.push_back((at[0] * in[1] + y) * in[2] + x);
        counted += in_map || (count_padding && y < in[1] + w.pad_bottom && x < in[2] + w.pad_right);
      }
    for (const auto c : inside) rows.add(c, 1.0 / static_cast<double>(counted));
    rows.end_row();
  });
  return rows.finish();
}

// The layer's result, back to one spatial axis where the input had one.
void finish_pool(Call& call, const Value& in, Operation op) {
  const Value map = as_map(call, in);
  if (in.dims.size() == 3) {
    call.finish(std::move(op), {map.tensor});
    return;
  }
  const auto out = call.part(std::move(op), {map.tensor});
  const Shape s = call.importer().shapes.at(out);
  call.finish(Reshape{}, {out}, {s[0], s[2]});
}

void average_pool(Call& call) {
  call.expect_inputs(1, 1);
  const Value in = call.in_front(0);
  const Pool pool = read_pool(call, in.dims);
  const Window& w = pool.window;
  AveragePool p = as_layer(pool);
  p.count_include_pad = call.attributes.integer("count_include_pad", 0) != 0;
  const bool dilated = w.dilation_h != 1 || w.dilation_w != 1;
  if (dilated && call.opset() < 19) fail_user("has dilations, which AveragePool knows from opset 19 on");
  if (!dilated && (!p.count_include_pad || (pool.over_h == 0 && pool.over_w == 0)))
    return finish_pool(call, in, p);
  const Shape map = in.dims.size() == 3 ? in.dims : Shape{in.dims[0], 1, in.dims[1]};
  finish_pool(call, in, average_rows(pool, p.count_include_pad, map));
}

void max_pool(Call& call) {
  call.expect_inputs(1, 1);
  call.attributes.ignore("storage_order");  // of the indices, the second output
  const Value in = call.in_front(0);
  const Pool pool = read_pool(call, in.dims);
  if (pool.window.dilation_h != 1 || pool.window.dilation_w != 1)
    fail_user("has dilations ({},{}), which MaxPool supports as 1 only", pool.window.dilation_h,
              pool.window.dilation_w);
  finish_pool(call, in, MaxPool{as_layer(pool)});
}

void global_pool(Call& call) {
  call.expect_inputs(1, 1);
  const Value in = call.in_front(0);
  if (in.dims.size() != 3 && in.dims.size() != 2)
    fail_user("pools a tensor {}: one or two spatial axes are supported", to_string(in.dims));
  MaxPool whole;
  whole.window.kernel_h = in.dims.size() == 3 ? in.dims[1] : 1;
  whole.window.kernel_w = in.dims.back();
  const bool average = call.op() == "GlobalAveragePool";
  finish_pool(call, in, average ? Operation(GlobalAveragePool{}) : Operation(whole));
}

}  // namespace

Window read_window(Call& call, const Shape& in, Dims kernel) {
  auto& a = call.attributes;
  const std::size_t spatial = in.size() - 1;
  const Dims stated = checked("kernel_shape", a.integers("kernel_shape", kernel), spatial, 1);
  if (!kernel.empty() && stated != kernel)
    fail_user("has kernel_shape ({}), its weights have {}", fmt::join(stated, ","), fmt::join(kernel, "x"));
  const Dims strides = checked("strides", a.integers("strides", Dims(spatial, 1)), spatial, 1);
  const Dims dilations = checked("dilations", a.integers("dilations", Dims(spatial, 1)), spatial, 1);
  const Dims pads = checked("pads", a.integers("pads", Dims(2 * spatial, 0)), 2 * spatial, 0);
  Window w{1, stated.back(), 1, strides.back(), 1, dilations.back(), 0, pads[spatial - 1], 0, pads.back()};
  if (spatial == 2) {
    w.kernel_h = stated[0];
    w.stride_h = strides[0];
    w.dilation_h = dilations[0];
    w.pad_top = pads[0];
    w.pad_bottom = pads[2];
  }
  const std::string mode = a.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return w;
  if (mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
    fail_user("has auto_pad '{}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", mode);
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; }))
    fail_user("has both pads and auto_pad '{}'", mode);
  if (mode == "VALID") return w;
  const auto span = [](std::int64_t k, std::int64_t dilation) { return dilation * (k - 1) + 1; };
  const bool upper = mode == "SAME_UPPER";
  if (spatial == 2)
    std::tie(w.pad_top, w.pad_bottom) =
        same_padding(in[1], span(w.kernel_h, w.dilation_h), w.stride_h, upper);
  std::tie(w.pad_left, w.pad_right) =
      same_padding(in.back(), span(w.kernel_w, w.dilation_w), w.stride_w, upper);
  return w;
}

bool convert_pool(Call& call) {
  const std::string& op = call.op();
  if (op == "AveragePool")
    average_pool(call);
  else if (op == "MaxPool")
    max_pool(call);
  else if (op == "GlobalAveragePool" || op == "GlobalMaxPool")
    global_pool(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
