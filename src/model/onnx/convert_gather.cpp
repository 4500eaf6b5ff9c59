// Gather, GatherElements and GatherND: elements picked by constant indices.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"

namespace velum::model {

namespace {

std::size_t rank_of_input(Call& call) {
  return call.is_constant(0) ? call.constant(0, "input").dims.size() : rank_of(call.value(0));
}

const Constant& indices(Call& call) {
  const Constant& at = call.constant(1, "indices");
  if (!at.integral) fail_user("has indices of floats, expected integers");
  return at;
}

void gather(Call& call) {
  call.expect_inputs(2, 2);
  const Constant& at = indices(call);
  const auto axis =
      static_cast<std::size_t>(checked_axis(call.attributes.integer("axis", 0), rank_of_input(call)));
  const Operand in = operand(call, 0, {static_cast<std::int64_t>(axis)}, "picks elements along");
  const auto extent = in.dims[axis];
  Dims picked;
  for (const auto i : at.integers) picked.push_back(checked_axis(i, static_cast<std::size_t>(extent)));
  Dims out(in.dims.begin(), in.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  out.insert(out.end(), at.dims.begin(), at.dims.end());
  out.insert(out.end(), in.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, in.dims.end());
  const Dims own = row_strides(in.dims), index_steps = row_strides(at.dims);
  const std::size_t width = at.dims.size();
  Linear rows = moved(out, [&](const Dims& i) {
    const Dims which(i.begin() + static_cast<std::ptrdiff_t>(axis),
                     i.begin() + static_cast<std::ptrdiff_t>(axis + width));
    std::int64_t from = picked[static_cast<std::size_t>(position(which, index_steps))] * own[axis];
    for (std::size_t a = 0; a < axis; ++a) from += i[a] * own[a];
    for (std::size_t a = axis + 1; a < in.dims.size(); ++a) from += i[a + width - 1] * own[a];
    return from;
  });
  const int shift = static_cast<int>(width) - 1;
  place(call, in, std::move(rows), in.batch > static_cast<int>(axis) ? in.batch + shift : in.batch);
}

// Element i of the result is the input's at i, but along the axis at the index that stands at i.
void gather_elements(Call& call) {
  call.expect_inputs(2, 2);
  Constant at = indices(call);
  const auto rank = rank_of_input(call);
  const auto axis = static_cast<std::size_t>(checked_axis(call.attributes.integer("axis", 0), rank));
  const Operand in = operand(call, 0, {static_cast<std::int64_t>(axis)}, "picks elements along");
  if (at.dims.size() != rank) fail_user("has indices of {} axes, expected {}", at.dims.size(), rank);
  if (in.batch != no_batch) {
    if (auto same = same_for_images(call.importer(), at, in.batch, rank)) at = std::move(*same);
    if (at.dims.size() < rank) at.dims.insert(at.dims.begin() + in.batch, 1);
  }
  for (std::size_t a = 0; a < rank; ++a)
    if (a != axis && at.dims[a] > in.dims[a])
      fail_user("has indices {} for a tensor {}", fmt::join(at.dims, "x"), fmt::join(in.dims, "x"));
  const Dims own = row_strides(in.dims), index_steps = row_strides(at.dims);
  Linear rows = moved(at.dims, [&](const Dims& i) {
    Dims from = i;
    from[axis] = checked_axis(at.integers[static_cast<std::size_t>(position(i, index_steps))],
                              static_cast<std::size_t>(in.dims[axis]));
    return position(from, own);
  });
  place(call, in, std::move(rows), in.batch);
}

// Each row along the last axis of the indices names one element of the axes behind the first `batch_dims`,
// which data and indices share; the data's axes behind those follow whole.
void gather_nd(Call& call) {
  call.expect_inputs(2, 2);
  Constant at = indices(call);
  const auto rank = rank_of_input(call), index_rank = at.dims.size();
  const auto shared_axes = call.opset() < 12 ? 0 : call.attributes.integer("batch_dims", 0);
  if (index_rank < 1 || shared_axes < 0 ||
      shared_axes >= static_cast<std::int64_t>(std::min(rank, index_rank)))
    fail_user("has batch_dims = {} for a tensor of {} axes and indices of {}", shared_axes, rank, index_rank);
  const auto shared = static_cast<std::size_t>(shared_axes);
  const auto width = at.dims.back();
  if (width < 1 || static_cast<std::size_t>(width) > rank - shared)
    fail_user("names elements by {} numbers, expected 1 to {}", width, rank - shared);
  const auto behind = shared + static_cast<std::size_t>(width);  // the first axis that is taken whole
  Dims touched;
  for (std::size_t a = shared; a < behind; ++a) touched.push_back(static_cast<std::int64_t>(a));
  const Operand in = operand(call, 0, touched, "picks elements along");
  if (in.batch != no_batch && in.batch < static_cast<int>(shared)) {
    // Every image is asked for the same elements.
    auto same = same_for_images(call.importer(), at, in.batch, index_rank);
    if (same) at = std::move(*same);
    at.dims.insert(at.dims.begin() + in.batch, 1);
  }
  for (std::size_t a = 0; a < shared; ++a)
    if (at.dims[a] != in.dims[a])
      fail_user("has indices {} for a tensor {}, whose first {} axes are to agree", fmt::join(at.dims, "x"),
                fmt::join(in.dims, "x"), shared);
  Dims out(at.dims.begin(), at.dims.end() - 1);
  out.insert(out.end(), in.dims.begin() + static_cast<std::ptrdiff_t>(behind), in.dims.end());
  const Dims own = row_strides(in.dims), index_steps = row_strides(at.dims);
  Linear rows = moved(out, [&](const Dims& i) {
    std::int64_t first = 0, from = 0;
    for (std::size_t a = 0; a + 1 < index_rank; ++a) first += i[a] * index_steps[a];
    for (std::size_t a = 0; a < shared; ++a) from += i[a] * own[a];
    for (std::size_t a = shared; a < behind; ++a)
      from += own[a] * checked_axis(at.integers[static_cast<std::size_t>(first) + a - shared],
                                    static_cast<std::size_t>(in.dims[a]));
    for (std::size_t a = behind; a < rank; ++a) from += own[a] * i[index_rank - 1 + a - behind];
    return from;
  });
  const bool moves = in.batch >= static_cast<int>(behind);
  const auto place_of_batch = in.batch + static_cast<int>(index_rank) - 1 - static_cast<int>(behind);
  place(call, in, std::move(rows), moves ? place_of_batch : in.batch);
}

}  // namespace

bool convert_gather(Call& call) {
  if (call.op() == "Gather")
    gather(call);
  else if (call.op() == "GatherElements")
    gather_elements(call);
  else if (call.op() == "GatherND")
    gather_nd(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
