// ScatterElements and ScatterND: elements replaced by others at constant indices.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

// Data or updates: constant, or computed. The batch axis has length 1 in both.
struct Side {
  Operand of;
  Dims dims;
  std::vector<double> values;  // of a constant
};

std::vector<double> values_of(const Constant& c) {
  std::vector<double> out = c.floats;
  for (const auto v : c.integers) {
    if (is_free(v)) fail_user("computes with the number of images, which is free");
    out.push_back(static_cast<double>(v));
  }
  return out;
}

std::size_t rank_of_input(Call& call, int i) {
  return call.is_constant(i) ? call.constant(i, "input").dims.size() : rank_of(call.value(i));
}

// A constant that every image has the same of, its batch axis of length 1 where it has one.
Constant one_for_all(Call& call, const Constant& c, int batch) {
  auto same = same_for_images(call.importer(), c, batch, c.dims.size());
  if (!same || same->dims.size() == c.dims.size()) return c;
  same->dims.insert(same->dims.begin() + batch, 1);
  return std::move(*same);
}

Side side(Call& call, int i, const Operand& of, int batch) {
  if (!of.constant) {
    if (of.batch != batch)
      fail_user("has the batch axis as axis {} of its input {}, expected {}", of.batch, i, batch);
    return {of, of.dims, {}};
  }
  const Constant c = one_for_all(call, call.constant(i, "input"), batch);
  return {of, c.dims, values_of(c)};
}

// Element e of the result is `from[e]` of the data, or -1 - k for element k of the updates.
void replace(Call& call, const Side& data, const Side& updates, const Dims& from, int batch) {
  const auto own = element_count(data.dims);
  if (data.of.constant && updates.of.constant) {
    Constant out = call.constant(0, "data");
    out.dims = data.dims;
    out.floats.clear();
    out.integers.clear();
    account(call.importer(), own);
    for (const auto f : from) {
      const double v = f >= 0 ? data.values[static_cast<std::size_t>(f)]
                              : updates.values[static_cast<std::size_t>(-1 - f)];
      if (out.integral)
        out.integers.push_back(static_cast<std::int64_t>(v));
      else
        out.floats.push_back(v);
    }
    return call.define(std::move(out));
  }
  // Columns of computed elements: those of the data, then those of the updates.
  const auto first_update = data.of.constant ? 0 : own;
  RowBuilder rows(data.dims);
  for (const auto f : from) {
    const Side& s = f >= 0 ? data : updates;
    const auto k = f >= 0 ? f : -1 - f;
    if (!s.of.constant) rows.add(f >= 0 ? k : first_update + k, 1);
    rows.end_row(s.of.constant ? s.values[static_cast<std::size_t>(k)] : 0);
  }
  std::vector<std::string> parts;
  for (const auto* s : {&data, &updates})
    if (!s->of.constant)
      parts.push_back(call.part(Reshape{}, {s->of.value.tensor}, {element_count(s->of.value.dims)}));
  Linear l = rows.finish();
  l.shape = without_batch(data.dims, batch);
  call.finish(std::move(l), {parts.size() == 2 ? call.part(Concat{}, parts) : parts[0]}, {}, batch);
}

void need_same(const Dims& found, const Dims& wanted, const char* what) {
  if (found != wanted)
    fail_user("has {} of {}, expected {}", what, fmt::join(found, "x"), fmt::join(wanted, "x"));
}

// Update k stands at the place of index k, but along the axis, where the index says.
void scatter_elements(Call& call) {
  const auto rank = rank_of_input(call, 0);
  const auto axis = static_cast<std::size_t>(checked_axis(call.attributes.integer("axis", 0), rank));
  const Dims touched{static_cast<std::int64_t>(axis)};
  const Operand of_data = operand(call, 0, touched, "scatters along");
  const Operand of_updates = operand(call, 2, touched, "scatters along");
  const int batch = of_data.constant ? of_updates.batch : of_data.batch;
  const Side data = side(call, 0, of_data, batch), updates = side(call, 2, of_updates, batch);
  const Constant at = one_for_all(call, call.constant(1, "indices"), batch);
  if (!at.integral) fail_user("has indices of floats, expected integers");
  need_same(updates.dims, at.dims, "updates");
  if (at.dims.size() != rank) fail_user("has indices of {} axes, expected {}", at.dims.size(), rank);
  for (std::size_t a = 0; a < rank; ++a)
    if (a != axis && at.dims[a] > data.dims[a])
      fail_user("has indices {} for a tensor {}", fmt::join(at.dims, "x"), fmt::join(data.dims, "x"));
  Dims from(static_cast<std::size_t>(element_count(data.dims)));
  for (std::size_t e = 0; e < from.size(); ++e) from[e] = static_cast<std::int64_t>(e);
  const Dims own = row_strides(data.dims);
  std::int64_t k = 0;
  for_each(at.dims, [&](const Dims& i) {
    Dims to = i;
    to[axis] =
        checked_axis(at.integers[static_cast<std::size_t>(k)], static_cast<std::size_t>(data.dims[axis]));
    from[static_cast<std::size_t>(position(to, own))] = -1 - k++;
  });
  replace(call, data, updates, from, batch);
}

// Each row along the last axis of the indices names a place along the data's first axes; what stands there is
// replaced whole.
void scatter_nd(Call& call) {
  const Constant& stated = call.constant(1, "indices");
  if (!stated.integral) fail_user("has indices of floats, expected integers");
  const auto rank = rank_of_input(call, 0);
  const auto width = stated.dims.empty() ? 0 : stated.dims.back();
  if (width < 1 || static_cast<std::size_t>(width) > rank)
    fail_user("names places by {} numbers, expected 1 to {}", width, rank);
  Dims named, listed;
  for (std::int64_t a = 0; a < width; ++a) named.push_back(a);
  for (std::int64_t a = 0; a + 1 < static_cast<std::int64_t>(stated.dims.size()); ++a) listed.push_back(a);
  const Operand of_data = operand(call, 0, named, "scatters along");
  const Operand of_updates = operand(call, 2, listed, "scatters along");
  // An axis behind those that are named lies by so many places further back in the updates.
  const int further = static_cast<int>(stated.dims.size()) - 1 - static_cast<int>(width);
  int batch = of_data.batch;
  if (of_data.constant && of_updates.batch != no_batch) batch = of_updates.batch - further;
  const int batch_of_updates = batch == no_batch ? no_batch : batch + further;
  const Side data = side(call, 0, of_data, batch), updates = side(call, 2, of_updates, batch_of_updates);
  Dims wanted(stated.dims.begin(), stated.dims.end() - 1);
  wanted.insert(wanted.end(), data.dims.begin() + width, data.dims.end());
  need_same(updates.dims, wanted, "updates");
  Dims from(static_cast<std::size_t>(element_count(data.dims)));
  for (std::size_t e = 0; e < from.size(); ++e) from[e] = static_cast<std::int64_t>(e);
  const Dims own = row_strides(data.dims);
  const auto block = own[static_cast<std::size_t>(width - 1)];
  const auto places = static_cast<std::int64_t>(stated.integers.size()) / width;
  for (std::int64_t p = 0; p < places; ++p) {
    std::int64_t first = 0;
    for (std::int64_t a = 0; a < width; ++a)
      first += own[static_cast<std::size_t>(a)] *
               checked_axis(stated.integers[static_cast<std::size_t>(p * width + a)],
                            static_cast<std::size_t>(data.dims[static_cast<std::size_t>(a)]));
    for (std::int64_t k = 0; k < block; ++k) from[static_cast<std::size_t>(first + k)] = -1 - (p * block + k);
  }
  replace(call, data, updates, from, batch);
}

}  // namespace

bool convert_scatter(Call& call) {
  const std::string& op = call.op();
  if (op != "ScatterElements" && op != "ScatterND") return false;
  call.expect_inputs(3, 3);
  if (const auto how = call.attributes.text("reduction", "none"); how != "none")
    fail_user("combines what it scatters by '{}', expected none", how);
  op == "ScatterND" ? scatter_nd(call) : scatter_elements(call);
  return true;
}

}  // namespace velum::model
