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

// Along one spatial axis.
struct PoolAxis {
  WindowAxis window;
  std::int64_t over = 0;  // behind the padding: counts as nothing
  std::int64_t positions() const {
    return window_positions(window.extent, window.kernel, window.stride, window.dilation, window.before,
                            window.after + over);
  }
};
using Pool = std::vector<PoolAxis>;

Pool read_pool(Call& call, const Shape& in) {
  if (in.size() < 2 || in.size() > 4)
    fail_user("pools a tensor {}: one to three spatial axes are supported", to_string(in));
  if (!call.attributes.has("kernel_shape")) fail_user("lacks attribute 'kernel_shape'");
  const bool whole = call.attributes.integer("ceil_mode", 0) != 0;
  Pool pool;
  for (const auto& w : read_window_axes(call, in, {})) {
    const auto span = w.dilation * (w.kernel - 1) + 1;
    pool.push_back({w, whole ? overhang(w.extent, span, w.stride, w.before, w.after) : 0});
  }
  return pool;
}

bool is_dilated(const Pool& pool) {
  return std::any_of(pool.begin(), pool.end(), [](const PoolAxis& a) { return a.window.dilation != 1; });
}

AveragePool as_layer(const Pool& pool) {
  AveragePool p;
  const auto& x = pool.back();
  p.kernel_w = x.window.kernel;
  p.stride_w = x.window.stride;
  p.pad_left = x.window.before;
  p.pad_right = x.window.after + x.over;
  if (pool.size() < 2) return p;
  const auto& y = pool.front();
  p.kernel_h = y.window.kernel;
  p.stride_h = y.window.stride;
  p.pad_top = y.window.before;
  p.pad_bottom = y.window.after + y.over;
  return p;
}

// Every window of {C, ..}, in order: which elements of the input lie in it, and how many places of it do not
// lie beyond the padding.
template <typename Visit>
void for_each_window(const Pool& pool, const Shape& in, Visit visit) {
  Dims positions{in[0]}, taps;
  for (const auto& a : pool) {
    positions.push_back(a.positions());
    taps.push_back(a.window.kernel);
  }
  const Dims own = row_strides(in);
  for_each(positions, [&](const Dims& at) {
    Dims inside;
    std::int64_t counted = 0;
    for_each(taps, [&](const Dims& tap) {
      std::int64_t element = at[0] * own[0];
      bool in_map = true, in_padding = true;
      for (std::size_t a = 0; a < pool.size(); ++a) {
        const auto& w = pool[a].window;
        const auto p = at[a + 1] * w.stride - w.before + tap[a] * w.dilation;
        in_map = in_map && p >= 0 && p < w.extent;
        in_padding = in_padding && p < w.extent + w.after;
        element += p * own[a + 1];
      }
      if (in_map) inside.push_back(element);
      counted += in_padding;
    });
    visit(inside, counted);
  });
}

Shape pooled_shape(const Pool& pool, const Shape& in) {
  Shape out{in[0]};
  for (const auto& a : pool) out.push_back(a.positions());
  return out;
}

// The pool as rows, for what the layer does not say: dilations, three axes, and padding that counts where the
// windows reach beyond it.
Linear average_rows(const Pool& pool, bool count_padding, const Shape& in) {
  RowBuilder rows(pooled_shape(pool, in));
  for_each_window(pool, in, [&](const Dims& inside, std::int64_t counted) {
    const auto n = count_padding ? counted : static_cast<std::int64_t>(inside.size());
    for (const auto c : inside) rows.add(c, 1.0 / static_cast<double>(n));
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
  const bool count_padding = call.attributes.integer("count_include_pad", 0) != 0;
  if (is_dilated(pool) && call.opset() < 19)
    fail_user("has dilations, which AveragePool knows from opset 19 on");
  const bool reaches_beyond =
      std::any_of(pool.begin(), pool.end(), [](const PoolAxis& a) { return a.over != 0; });
  if (is_dilated(pool) || pool.size() > 2 || (count_padding && reaches_beyond)) {
    call.finish(average_rows(pool, count_padding, in.dims), {in.tensor});
    return;
  }
  AveragePool p = as_layer(pool);
  p.count_include_pad = count_padding;
  finish_pool(call, in, p);
}

// The elements of each window side by side, then the largest of them. What lies in the padding counts as
// nothing: another element of the window stands in its place.
void max_of_windows(Call& call, const Value& in, const Pool& pool) {
  const Shape out = pooled_shape(pool, in.dims);
  std::int64_t taps = 1;
  for (const auto& a : pool) taps *= a.window.kernel;
  RowBuilder rows({element_count(out), taps});
  for_each_window(pool, in.dims, [&](const Dims& inside, std::int64_t) {
    if (inside.empty()) fail_user("has windows that lie in the padding alone, whose largest element is none");
    for (std::size_t t = 0; t < static_cast<std::size_t>(taps); ++t) {
      rows.add(inside[t < inside.size() ? t : 0], 1);
      rows.end_row();
    }
  });
  const auto windows = call.part(rows.finish(), {in.tensor});
  const auto largest = call.part(AxisFunction{"ReduceMax", 1, 2}, {windows});
  call.finish(Reshape{}, {largest}, out);
}

void max_pool(Call& call) {
  call.expect_inputs(1, 1);
  call.attributes.ignore("storage_order");  // of the indices, the second output
  const Value in = call.in_front(0);
  const Pool pool = read_pool(call, in.dims);
  if (is_dilated(pool) && call.opset() < 10) fail_user("has dilations, which MaxPool knows from opset 10 on");
  if (is_dilated(pool) || pool.size() > 2) return max_of_windows(call, in, pool);
  finish_pool(call, in, MaxPool{as_layer(pool)});
}

void global_pool(Call& call) {
  call.expect_inputs(1, 1);
  const Value in = call.in_front(0);
  if (in.dims.size() < 2)
    fail_user("pools a tensor {}, expected at least one spatial axis", to_string(in.dims));
  // Whatever the axes are, they are one row.
  const Shape row{in.dims[0], 1, element_count(in.dims) / in.dims[0]};
  const bool is_map = in.dims.size() == 3;
  MaxPool whole;
  whole.window.kernel_h = is_map ? in.dims[1] : 1;
  whole.window.kernel_w = is_map ? in.dims[2] : row[2];
  const Operation op = call.op() == "GlobalAveragePool" ? Operation(GlobalAveragePool{}) : Operation(whole);
  if (is_map) {
    call.finish(op, {in.tensor});
    return;
  }
  Shape out(in.dims.size(), 1);
  out[0] = in.dims[0];
  call.finish(Reshape{}, {call.part(op, {call.part(Reshape{}, {in.tensor}, row)})}, out);
}

}  // namespace

std::vector<WindowAxis> read_window_axes(Call& call, const Shape& in, const Dims& kernel) {
  auto& a = call.attributes;
  const std::size_t spatial = in.size() - 1;
  const Dims stated = checked("kernel_shape", a.integers("kernel_shape", kernel), spatial, 1);
  if (!kernel.empty() && stated != kernel)
    fail_user("has kernel_shape ({}), its weights have {}", fmt::join(stated, ","), fmt::join(kernel, "x"));
  const Dims strides = checked("strides", a.integers("strides", Dims(spatial, 1)), spatial, 1);
  const Dims dilations = checked("dilations", a.integers("dilations", Dims(spatial, 1)), spatial, 1);
  const Dims pads = checked("pads", a.integers("pads", Dims(2 * spatial, 0)), 2 * spatial, 0);
  std::vector<WindowAxis> axes;
  for (std::size_t i = 0; i < spatial; ++i)
    axes.push_back({in[i + 1], stated[i], strides[i], dilations[i], pads[i], pads[spatial + i]});
  const std::string mode = a.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return axes;
  if (mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
    fail_user("has auto_pad '{}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", mode);
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; }))
    fail_user("has both pads and auto_pad '{}'", mode);
  if (mode == "VALID") return axes;
  for (auto& w : axes)
    std::tie(w.before, w.after) =
        same_padding(w.extent, w.dilation * (w.kernel - 1) + 1, w.stride, mode == "SAME_UPPER");
  return axes;
}

Window read_window(Call& call, const Shape& in, const Dims& kernel) {
  const auto axes = read_window_axes(call, in, kernel);
  const auto& x = axes.back();
  Window w{1, x.kernel, 1, x.stride, 1, x.dilation, 0, x.before, 0, x.after};
  if (axes.size() == 2) {
    const auto& y = axes.front();
    w.kernel_h = y.kernel;
    w.stride_h = y.stride;
    w.dilation_h = y.dilation;
    w.pad_top = y.before;
    w.pad_bottom = y.after;
  }
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
