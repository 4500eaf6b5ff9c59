// Slice, Split, Tile, Expand, Pad, Trilu, DepthToSpace, SpaceToDepth: every output element is one input
// element, or a number.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

std::size_t rank_of_input(Call& call) {
  return call.is_constant(0) ? call.constant(0, "input").dims.size() : rank_of(call.value(0));
}

// Along one axis: position i of the result is position start + i * step of the input.
struct Cut {
  std::int64_t start = 0, step = 1, count = 0;
};

Linear cut_rows(const Operand& in, const std::vector<Cut>& cuts) {
  Dims out;
  for (const auto& c : cuts) out.push_back(c.count);
  const Dims own = row_strides(in.dims);
  return moved(out, [&](const Dims& i) {
    std::int64_t at = 0;
    for (std::size_t a = 0; a < i.size(); ++a) at += (cuts[a].start + i[a] * cuts[a].step) * own[a];
    return at;
  });
}

// Python's rules for a slice that may run backwards.
Cut cut(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
  if (step == 0) fail_user("slices in steps of 0");
  step = std::max(step, -INT64_MAX);  // whose magnitude is an integer too
  const bool back = step < 0;
  const auto place = [&](std::int64_t p, std::int64_t low, std::int64_t high) {
    if (p < 0) p = p < -extent ? -1 : p + extent;
    return std::clamp(p, low, high);
  };
  Cut c;
  c.step = step;
  c.start = back ? place(start, 0, extent - 1) : place(start, 0, extent);
  const auto last = back ? (end < -extent ? -1 : place(end, -1, extent - 1)) : place(end, 0, extent);
  const auto length = back ? c.start - last : last - c.start;
  c.count = length <= 0 ? 0 : (length + std::abs(step) - 1) / std::abs(step);
  return c;
}

void slice(Call& call) {
  Dims starts, ends, axes, steps;
  if (call.opset() < 10) {
    call.expect_inputs(1, 1);
    starts = call.attributes.integers("starts", {});
    ends = call.attributes.integers("ends", {});
    axes = call.attributes.integers("axes", {});
  } else {
    call.expect_inputs(3, 5);
    starts = call.integers(1, "starts");
    ends = call.integers(2, "ends");
    if (call.has_input(3)) axes = call.integers(3, "axes");
    if (call.has_input(4)) steps = call.integers(4, "steps");
  }
  if (axes.empty())
    for (std::size_t a = 0; a < starts.size(); ++a) axes.push_back(static_cast<std::int64_t>(a));
  steps.resize(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size())
    fail_user("has {} starts, {} ends and {} axes", starts.size(), ends.size(), axes.size());
  // What takes the whole of an axis leaves it alone.
  const auto whole = [&](std::size_t i) {
    const auto declared = call.importer().declared_batch;
    return starts[i] == 0 && steps[i] == 1 &&
           (ends[i] >= INT32_MAX || is_free(ends[i]) ||
            (declared > 1 && ends[i] == declared && axes[i] == 0));
  };
  Dims touched;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (!whole(i)) touched.push_back(axes[i]);
  const Operand in = operand(call, 0, touched, "slices");
  std::vector<Cut> cuts;
  for (const auto d : in.dims) cuts.push_back({0, 1, d});
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<std::size_t>(checked_axis(axes[i], in.dims.size()));
    if (whole(i)) continue;
    if (is_free(starts[i]) || is_free(ends[i])) fail_user("slices by the number of images, which is free");
    cuts[a] = cut(starts[i], ends[i], steps[i], in.dims[a]);
    if (in.constant && cuts[a].count == 0) {
      Constant empty = call.constant(0, "input");
      empty.dims[a] = 0;
      empty.floats.clear();
      empty.integers.clear();
      return call.define(std::move(empty));
    }
  }
  place(call, in, cut_rows(in, cuts), in.batch);
}

void split(Call& call) {
  call.expect_inputs(1, 2);
  const auto axis = checked_axis(call.attributes.integer("axis", 0), rank_of_input(call));
  const Operand in = operand(call, 0, {axis}, "splits");
  const auto at = static_cast<std::size_t>(axis);
  const auto extent = in.dims[at];
  Dims lengths = call.listed("split", 1, 13, {});
  const auto outputs = static_cast<std::int64_t>(call.output_count());
  if (call.opset() >= 18) {
    const auto stated = call.attributes.integer("num_outputs", outputs);
    if (stated != outputs) fail_user("has num_outputs = {} and {} outputs", stated, outputs);
  }
  if (lengths.empty()) {
    const auto each = (extent + outputs - 1) / outputs;  // the last one may be shorter
    if (call.opset() < 18 && extent % outputs != 0)
      fail_user("splits {} elements into {} equal parts", extent, outputs);
    for (std::int64_t i = 0; i < outputs; ++i) lengths.push_back(std::min(each, extent - i * each));
  }
  if (static_cast<std::int64_t>(lengths.size()) != outputs)
    fail_user("splits into {} parts for {} outputs", lengths.size(), outputs);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 1 || start + lengths[i] > extent)
      fail_user("splits {} elements into parts of {}", extent, fmt::join(lengths, ", "));
    std::vector<Cut> cuts;
    for (const auto d : in.dims) cuts.push_back({0, 1, d});
    cuts[at] = {start, 1, lengths[i]};
    start += lengths[i];
    if (!call.output_is_read(static_cast<int>(i))) continue;
    call.select_output(static_cast<int>(i));
    place(call, in, cut_rows(in, cuts), in.batch);
  }
  if (start != extent) fail_user("splits {} elements into parts of {}", extent, fmt::join(lengths, ", "));
}

// Every axis repeated: position i reads position i modulo the input's length (Tile), or 0 where that is 1
// (Expand).
Linear repeated(const Operand& in, const Dims& out) {
  const Dims own = row_strides(in.dims);
  const std::size_t ahead = out.size() - in.dims.size();
  return moved(out, [&](const Dims& i) {
    std::int64_t at = 0;
    for (std::size_t a = 0; a < in.dims.size(); ++a) at += i[ahead + a] % in.dims[a] * own[a];
    return at;
  });
}

void tile(Call& call) {
  call.expect_inputs(2, 2);
  const Dims repeats = call.integers(1, "repeats");
  Dims touched;
  for (std::size_t a = 0; a < repeats.size(); ++a)
    if (repeats[a] != 1) touched.push_back(static_cast<std::int64_t>(a));
  const Operand in = operand(call, 0, touched, "repeats");
  if (repeats.size() != in.dims.size())
    fail_user("has {} repeats for {} axes", repeats.size(), in.dims.size());
  Dims out;
  for (std::size_t a = 0; a < repeats.size(); ++a) {
    // One repetition for every image is what a constant is anyway.
    const auto times = is_free(repeats[a]) && in.constant ? 1 : repeats[a];
    if (times < 1 || times > max_tensor_elements) fail_user("repeats an axis {} times", times);
    out.push_back(in.dims[a] * times);
  }
  place(call, in, repeated(in, out), in.batch);
}

void expand(Call& call) {
  call.expect_inputs(2, 2);
  Dims target = call.integers(1, "shape");
  const std::size_t own_rank = rank_of_input(call), rank = std::max(own_rank, target.size());
  target.insert(target.begin(), rank - target.size(), 1);
  const std::size_t ahead = rank - own_rank;
  Dims touched;
  const int batch = call.is_constant(0) ? no_batch : call.value(0).batch;
  for (std::size_t a = 0; a < rank; ++a) {
    const bool images = batch != no_batch && a == static_cast<std::size_t>(batch) + ahead;
    const auto declared = call.importer().declared_batch;
    // One value for every image is what broadcasting gives anyway.
    if (is_free(target[a]) && (images || call.is_constant(0))) target[a] = 1;
    if (images && declared > 1 && target[a] == declared) target[a] = 1;
    if (images && target[a] != 1) touched.push_back(batch);
  }
  const Operand in = operand(call, 0, touched, "repeats");
  Dims out;
  for (std::size_t a = 0; a < rank; ++a) {
    const auto d = a < ahead ? 1 : in.dims[a - ahead];
    if (target[a] < 1 || (d != 1 && target[a] != 1 && target[a] != d))
      fail_user("expands {} to {}", fmt::join(in.dims, "x"), fmt::join(target, "x"));
    out.push_back(std::max(d, target[a]));
  }
  if (in.constant) account(call.importer(), checked_count(out, "the result"));
  place(call, in, repeated(in, out), in.batch == no_batch ? no_batch : in.batch + static_cast<int>(ahead));
}

// Where position p of an axis of n elements, counted from its own begin, reads; -1 beyond it in mode
// constant.
std::int64_t padded_source(const std::string& mode, std::int64_t p, std::int64_t n) {
  if (p >= 0 && p < n) return p;
  if (mode == "edge") return std::clamp<std::int64_t>(p, 0, n - 1);
  if (mode == "wrap") return (p % n + n) % n;
  if (mode != "reflect") return -1;
  if (n == 1) return 0;
  const auto period = 2 * (n - 1), q = (p % period + period) % period;
  return q < n ? q : period - q;
}

struct Padding {
  Dims before, after;  // by axis; negative: left out
  std::string mode;
  double value = 0;
};

Padding read_padding(Call& call, std::size_t rank) {
  Padding p;
  p.mode = call.attributes.text("mode", "constant");
  Dims pads, axes;
  if (call.opset() < 11) {
    call.expect_inputs(1, 1);
    pads = call.attributes.integers("pads", {});
    p.value = call.attributes.real("value", 0);
  } else {
    call.expect_inputs(2, call.opset() < 18 ? 3 : 4);
    pads = call.integers(1, "pads");
    if (call.has_input(2)) p.value = call.number(2, "value");
    if (call.has_input(3)) axes = call.integers(3, "axes");
  }
  if (p.mode != "constant" && p.mode != "reflect" && p.mode != "edge" &&
      (p.mode != "wrap" || call.opset() < 19))
    fail_user("pads in mode '{}', expected constant, reflect or edge (or wrap from opset 19 on)", p.mode);
  if (axes.empty())
    for (std::size_t a = 0; a < rank; ++a) axes.push_back(static_cast<std::int64_t>(a));
  if (pads.size() != 2 * axes.size())
    fail_user("has {} pads for {} axes, expected {}", pads.size(), axes.size(), 2 * axes.size());
  p.before.assign(rank, 0);
  p.after.assign(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<std::size_t>(checked_axis(axes[i], rank));
    for (const auto v : {pads[i], pads[axes.size() + i]})
      if (v > max_window_extent || v < -max_tensor_elements)
        fail_user("has pads ({}), expected at most {}", fmt::join(pads, ","), max_window_extent);
    p.before[a] = pads[i];
    p.after[a] = pads[axes.size() + i];
  }
  return p;
}

void pad(Call& call) {
  const std::size_t rank = rank_of_input(call);
  const Padding p = read_padding(call, rank);
  Dims touched;
  for (std::size_t a = 0; a < rank; ++a)
    if (p.before[a] != 0 || p.after[a] != 0) touched.push_back(static_cast<std::int64_t>(a));
  const Operand in = operand(call, 0, touched, "pads");
  const bool zeros = p.mode == "constant" && p.value == 0 && !in.constant && in.batch == 0 && rank == 4 &&
                     p.before[1] == 0 && p.after[1] == 0 &&
                     std::all_of(p.before.begin(), p.before.end(), [](std::int64_t v) { return v >= 0; }) &&
                     std::all_of(p.after.begin(), p.after.end(), [](std::int64_t v) { return v >= 0; });
  if (zeros) {  // a convolution after it takes it over
    call.finish(Pad{p.before[2], p.before[3], p.after[2], p.after[3]}, {in.value.tensor});
    return;
  }
  Dims out;
  for (std::size_t a = 0; a < rank; ++a) {
    out.push_back(in.dims[a] + p.before[a] + p.after[a]);
    if (out.back() < 1) fail_user("leaves {} of the {} elements of axis {}", out.back(), in.dims[a], a);
  }
  const Dims own = row_strides(in.dims);
  // Elements cut off by negative pads are gone before the others are mirrored.
  const auto source = [&](std::size_t a, std::int64_t i) {
    const auto low = std::max<std::int64_t>(-p.before[a], 0), high = std::max<std::int64_t>(-p.after[a], 0);
    const auto n = in.dims[a] - low - high;
    if (n < 1) fail_user("leaves none of the {} elements of axis {}", in.dims[a], a);
    const auto at = padded_source(p.mode, i - std::max<std::int64_t>(p.before[a], 0), n);
    return at < 0 ? at : at + low;
  };
  place(call, in,
        moved(
            out,
            [&](const Dims& i) {
              std::int64_t at = 0;
              for (std::size_t a = 0; a < rank; ++a) {
                const auto from = source(a, i[a]);
                if (from < 0) return std::int64_t{-1};
                at += from * own[a];
              }
              return at;
            },
            p.value),
        in.batch);
}

// The last two axes as a matrix, of which one side of a diagonal stays and the other becomes 0.
void triangle(Call& call) {
  call.expect_inputs(1, 2);
  const bool upper = call.attributes.integer("upper", 1) != 0;
  const std::size_t rank = rank_of_input(call);
  if (rank < 2) fail_user("takes a triangle of a tensor with {} axes, expected at least 2", rank);
  Dims shift{0};  // of the diagonal, to the right
  if (call.has_input(1)) shift = call.integers(1, "diagonal");
  if (shift.size() != 1) fail_user("has a diagonal of {} numbers, expected one", shift.size());
  const Operand in = operand(call, 0, {-2, -1}, "takes a triangle of");
  const Dims own = row_strides(in.dims);
  place(call, in,
        moved(in.dims,
              [&](const Dims& i) {
                const auto right = i[rank - 1] - i[rank - 2];
                return (upper ? right >= shift[0] : right <= shift[0]) ? position(i, own) : -1;
              }),
        in.batch);
}

// {C b b, H, W} <-> {C, H b, W b}; in mode DCR the block comes before the channel, in CRD behind it.
void depth_space(Call& call) {
  call.expect_inputs(1, 1);
  const bool to_space = call.op() == "DepthToSpace";
  const auto b = call.attributes.integer("blocksize", 0);
  const std::string mode = to_space ? call.attributes.text("mode", "DCR") : "DCR";
  if (mode != "DCR" && mode != "CRD") fail_user("has mode '{}', expected DCR or CRD", mode);
  const Operand in = operand(call, 0, {1, 2, 3}, "moves");
  if (in.dims.size() != 4 || b < 1 || b > max_window_extent)
    fail_user("has blocks of {} for a tensor {}", b, fmt::join(in.dims, "x"));
  const Dims& d = in.dims;
  if (to_space ? d[1] % (b * b) != 0 : d[2] % b != 0 || d[3] % b != 0)
    fail_user("has blocks of {} that do not divide {}", b, fmt::join(d, "x"));
  const auto depth = to_space ? d[1] / (b * b) : d[1];
  const Dims out =
      to_space ? Dims{d[0], depth, d[2] * b, d[3] * b} : Dims{d[0], d[1] * b * b, d[2] / b, d[3] / b};
  const Dims own = row_strides(d);
  place(call, in,
        moved(out,
              [&](const Dims& i) {
                if (!to_space) {
                  const auto block = i[1] / depth;
                  return position({i[0], i[1] % depth, i[2] * b + block / b, i[3] * b + block % b}, own);
                }
                const auto block = i[2] % b * b + i[3] % b;
                const auto channel = mode == "DCR" ? block * depth + i[1] : i[1] * b * b + block;
                return position({i[0], channel, i[2] / b, i[3] / b}, own);
              }),
        in.batch);
}

}  // namespace

bool convert_movement(Call& call) {
  const std::string& op = call.op();
  if (op == "Slice")
    slice(call);
  else if (op == "Split")
    split(call);
  else if (op == "Tile")
    tile(call);
  else if (op == "Expand")
    expand(call);
  else if (op == "Pad")
    pad(call);
  else if (op == "Trilu")
    triangle(call);
  else if (op == "DepthToSpace" || op == "SpaceToDepth")
    depth_space(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
