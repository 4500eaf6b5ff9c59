// ReduceMean, ReduceSum and the others of their kind, and CumSum.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"

namespace velum::model {

namespace {

struct Reduction {
  Dims axes;             // 0..rank-1, ascending
  std::vector<bool> is;  // by axis
  bool keep = true;
  Dims kept(const Dims& in) const {  // the result's lengths
    Dims out;
    for (std::size_t a = 0; a < in.size(); ++a) {
      if (!is[a])
        out.push_back(in[a]);
      else if (keep)
        out.push_back(1);
    }
    return out;
  }
};

// Axes are an input from opset 18 on, of ReduceSum from 13.
Reduction read_reduction(Call& call, std::size_t rank) {
  call.expect_inputs(1, 2);
  Reduction r;
  const std::int64_t since = call.op() == "ReduceSum" ? 13 : 18;
  Dims axes = call.listed("axes", 1, since, {});
  r.keep = call.attributes.integer("keepdims", 1) != 0;
  const bool noop = call.attributes.integer("noop_with_empty_axes", 0) != 0;
  r.is.assign(rank, axes.empty() && !noop);
  for (const auto a : axes) r.is[static_cast<std::size_t>(checked_axis(a, rank))] = true;
  for (std::size_t a = 0; a < rank; ++a)
    if (r.is[a]) r.axes.push_back(static_cast<std::int64_t>(a));
  return r;
}

int batch_after(const Reduction& r, int batch) {
  if (batch == no_batch || r.keep) return batch;
  return batch - static_cast<int>(std::count(r.is.begin(), r.is.begin() + batch, true));
}

// Sums, by `factor`, over the axes.
Linear sum_rows(const Dims& in, const Reduction& r, double factor) {
  const Dims strides = row_strides(in);
  Dims outer, inner, outer_steps, inner_steps;
  for (std::size_t a = 0; a < in.size(); ++a) {
    (r.is[a] ? inner : outer).push_back(in[a]);
    (r.is[a] ? inner_steps : outer_steps).push_back(strides[a]);
  }
  RowBuilder rows(r.kept(in));
  for_each(outer, [&](const Dims& i) {
    const auto at = position(i, outer_steps);
    for_each(inner, [&](const Dims& j) { rows.add(at + position(j, inner_steps), factor); });
    rows.end_row();
  });
  return rows.finish();
}

double reduce_constant(const std::string& op, const std::vector<double>& v) {
  double sum = 0, absolute = 0, squares = 0, product = 1, exponentials = 0;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double x : v) {
    sum += x;
    absolute += std::fabs(x);
    squares += x * x;
    product *= x;
    exponentials += std::exp(x);
    low = std::min(low, x);
    high = std::max(high, x);
  }
  if (op == "ReduceSum") return sum;
  if (op == "ReduceMean") return sum / static_cast<double>(v.size());
  if (op == "ReduceL1") return absolute;
  if (op == "ReduceL2") return std::sqrt(squares);
  if (op == "ReduceSumSquare") return squares;
  if (op == "ReduceProd") return product;
  if (op == "ReduceLogSum") return std::log(sum);
  if (op == "ReduceLogSumExp") return std::log(exponentials);
  return op == "ReduceMin" ? low : high;
}

Constant reduced(Call& call, const Constant& c, const Reduction& r) {
  account(call.importer(), c.size());
  const Linear rows = sum_rows(c.dims, r, 1);
  Constant out;
  out.dims = rows.shape;
  out.integral = c.integral;
  for (std::size_t e = 0; e + 1 < rows.row_begin.size(); ++e) {
    std::vector<double> v;
    for (std::size_t k = rows.row_begin[e]; k < rows.row_begin[e + 1]; ++k) {
      const auto from = rows.columns[k];
      if (c.integral && is_free(c.integers[from]))
        fail_user("computes with the number of images, which is free");
      v.push_back(c.integral ? static_cast<double>(c.integers[from]) : c.floats[from]);
    }
    const double y = reduce_constant(call.op(), v);
    if (out.integral)
      out.integers.push_back(static_cast<std::int64_t>(y));
    else
      out.floats.push_back(y);
  }
  return out;
}

// A mean over whole rows or columns of a feature map is a pool, which the planner knows to fold.
bool as_pool(Call& call, const Value& v, const Reduction& r, bool mean) {
  const Shape& in = v.dims;
  if (v.batch != 0 || in.size() != 3 || r.is[1] || !(r.is[2] || r.is[3])) return false;
  AveragePool p;
  p.kernel_h = r.is[2] ? in[1] : 1;
  p.kernel_w = r.is[3] ? in[2] : 1;
  const Operation op = r.is[2] && r.is[3] ? Operation(GlobalAveragePool{}) : Operation(p);
  std::string pooled = call.part(op, {v.tensor});
  if (!mean) {
    const auto count = static_cast<float>(p.kernel_h * p.kernel_w);
    pooled = call.part(ScaleShift{{{}, {count}}, {{}, {0}}}, {pooled});
  }
  call.finish(Reshape{}, {pooled}, without_batch(r.kept(full_dims(v)), 0));
  return true;
}

// What is not linear: a function of the elements along the axes, which are brought together behind the
// others.
void by_function(Call& call, const Operand& in, const Reduction& r) {
  const int rank = static_cast<int>(in.value.dims.size());
  std::vector<bool> reduced(in.value.dims.size(), false);
  for (const auto a : r.axes) reduced[static_cast<std::size_t>(feature_axis(in.value, a))] = true;
  Transpose order;
  for (const bool behind : {false, true})
    for (int a = 0; a < rank; ++a)
      if (reduced[static_cast<std::size_t>(a)] == behind) order.axes.push_back(a);
  const auto ordered = std::is_sorted(order.axes.begin(), order.axes.end())
                           ? in.value.tensor
                           : call.part(order, {in.value.tensor});
  const auto value =
      call.part(AxisFunction{call.op(), rank - static_cast<int>(r.axes.size()), rank}, {ordered});
  const int batch = batch_after(r, in.batch);
  call.finish(Reshape{}, {value}, without_batch(r.kept(in.dims), batch), batch);
}

// Element i along the axis is the sum of the elements up to i: without i itself where exclusive, from the end
// where reverse.
void running_sum(Call& call) {
  call.expect_inputs(2, 2);
  const Dims stated = call.integers(1, "axis");
  if (stated.size() != 1) fail_user("has an axis of {} numbers, expected one", stated.size());
  const bool exclusive = call.attributes.integer("exclusive", 0) != 0,
             reverse = call.attributes.integer("reverse", 0) != 0;
  const Operand in = operand(call, 0, stated, "sums along");
  if (in.constant) {
    const Constant& c = call.constant(0, "input");
    if (std::any_of(c.integers.begin(), c.integers.end(), is_free))
      fail_user("computes with the number of images, which is free");
  }
  const auto axis = static_cast<std::size_t>(checked_axis(stated[0], in.dims.size()));
  const auto extent = in.dims[axis];
  const Dims own = row_strides(in.dims);
  RowBuilder rows(in.dims);
  for_each(in.dims, [&](const Dims& i) {
    const auto line = position(i, own) - i[axis] * own[axis];
    const auto first = reverse ? i[axis] + (exclusive ? 1 : 0) : 0;
    const auto last = reverse ? extent : i[axis] + (exclusive ? 0 : 1);
    for (auto k = first; k < last; ++k) rows.add(line + k * own[axis], 1);
    rows.end_row();
  });
  place(call, in, rows.finish(), in.batch);
}

}  // namespace

bool convert_reduction(Call& call) {
  const std::string& op = call.op();
  if (op == "CumSum") {
    running_sum(call);
    return true;
  }
  if (!op.starts_with("Reduce")) return false;
  const bool mean = op == "ReduceMean", sum = op == "ReduceSum", squares = op == "ReduceSumSquare";
  const std::size_t rank =
      call.is_constant(0) ? call.constant(0, "input").dims.size() : rank_of(call.value(0));
  const Reduction r = read_reduction(call, rank);
  if (call.is_constant(0)) {
    call.define(reduced(call, call.constant(0, "input"), r));
    return true;
  }
  const Operand in = operand(call, 0, r.axes, "reduces");
  const bool same = mean || sum || op == "ReduceMax" || op == "ReduceMin" || op == "ReduceProd";
  if (r.axes.empty() && same) {
    call.alias(in.value);
    return true;
  }
  if (!mean && !sum && !squares) {
    if (r.axes.empty()) fail_user("reduces no axes, which is a function of single elements that is not read");
    by_function(call, in, r);
    return true;
  }
  if (!squares && as_pool(call, in.value, r, mean)) return true;
  Operand from = in;
  if (squares) from.value = call.part_of(in.value, Quadratic{{{}, {1}}, {{}, {0}}, {{}, {0}}});
  std::int64_t count = 1;
  for (const auto a : r.axes) count *= in.dims[static_cast<std::size_t>(a)];
  place(call, from, sum_rows(in.dims, r, mean ? 1.0 / static_cast<double>(count) : 1.0),
        batch_after(r, in.batch));
  return true;
}

}  // namespace velum::model
