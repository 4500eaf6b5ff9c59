#include "model/onnx/broadcast.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx/rows.h"

namespace velum::model {

namespace {

// Before opset 7 the second input of Add, Sub, Mul, Div (PRelu's slope is one a channel) is laid over the
// first from `axis` on: the same as right-aligned with ones behind.
void append_ones(Call& call, Constant& second, std::size_t rank) {
  const auto axis = call.attributes.integer("axis", static_cast<std::int64_t>(rank - second.dims.size()));
  const auto from = static_cast<std::size_t>(checked_axis(axis, rank));
  if (from + second.dims.size() > rank)
    fail_user("lays a constant of {} axes over axis {} of {}", second.dims.size(), from, rank);
  second.dims.resize(rank - from, 1);
}

std::string expanded(Call& call, const Value& v, const Shape& shape) {
  if (v.dims == shape) return v.tensor;
  const Dims own = row_strides(v.dims);
  Linear rows = moved(shape, [&](const Dims& index) {
    std::int64_t at = 0;
    for (std::size_t a = 0; a < v.dims.size(); ++a)
      if (v.dims[a] != 1) at += index[index.size() - v.dims.size() + a] * own[a];
    return at;
  });
  return call.part(std::move(rows), {v.tensor});
}

}  // namespace

Dims broadcast_dims(const Dims& x, const Dims& y) {
  Dims out(std::max(x.size(), y.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto a = i < x.size() ? x[x.size() - 1 - i] : 1, b = i < y.size() ? y[y.size() - 1 - i] : 1;
    if (a != b && a != 1 && b != 1)
      fail_user("combines shapes {} and {} (batch axis left out), which do not broadcast to each other",
                fmt::join(x, "x"), fmt::join(y, "x"));
    out[out.size() - 1 - i] = a == 1 ? b : a;
  }
  return out;
}

Aligned align(Call& call, int first, int last) {
  Importer& importer = call.importer();
  const auto count = static_cast<std::size_t>(last - first);
  std::vector<std::optional<Value>> values(count);
  Aligned out;
  out.constants.resize(count);
  out.tensors.resize(count);
  std::size_t rank = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int input = first + static_cast<int>(i);
    if (call.is_constant(input)) {
      out.constants[i] = call.constant(input, "constant");
      if (out.constants[i]->size() == 0) fail_user("combines a tensor with an empty constant");
      if (call.opset() < 7 && i == 1 && values[0] && call.attributes.integer("broadcast", 0) != 0)
        append_ones(call, *out.constants[i], rank_of(*values[0]));
      rank = std::max(rank, out.constants[i]->dims.size());
    } else {
      values[i] = call.value(input);
      if (call.opset() < 7) call.attributes.ignore("broadcast");
      rank = std::max(rank, rank_of(*values[i]));
    }
  }
  call.attributes.ignore("consumed_inputs");
  // Where each has its batch axis, counted from the end; they have to agree.
  const auto from_end = [](const Value& v) { return static_cast<int>(rank_of(v)) - v.batch; };
  int place = no_batch;
  bool agree = true, any = false;
  for (const auto& v : values) {
    if (!v) continue;
    const int own = v->batch == no_batch ? no_batch : from_end(*v);
    if (!any) place = own;
    any = true;
    agree = agree && own == place;
  }
  if (place != no_batch && agree)
    for (auto& c : out.constants) {
      if (!c) continue;
      auto same = same_for_images(importer, *c, static_cast<int>(rank) - place, rank);
      agree = agree && same.has_value();
      if (same) c = std::move(same);
    }
  if (!agree) {
    place = no_batch;
    for (std::size_t i = 0; i < count; ++i) {
      if (values[i]) values[i] = call.plain(*values[i], "combines another axis with");
      if (out.constants[i]) out.constants[i] = call.constant(first + static_cast<int>(i), "constant");
    }
  }
  for (std::size_t i = 0; i < count; ++i)
    out.shape = broadcast_dims(out.shape, values[i] ? values[i]->dims : out.constants[i]->dims);
  out.batch = place == no_batch ? no_batch : static_cast<int>(rank) - place;
  // The batch axis may stand before axes that only longer inputs have.
  const auto features = rank - (place == no_batch ? 0 : 1);
  if (out.shape.size() < features) out.shape.insert(out.shape.begin(), features - out.shape.size(), 1);
  for (std::size_t i = 0; i < count; ++i)
    if (values[i]) out.tensors[i] = expanded(call, *values[i], out.shape);
  return out;
}

std::vector<std::string> as_tensors(Call& call, const Aligned& a) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < a.tensors.size(); ++i)
    all.push_back(a.constants[i]
                      ? constant_tensor(
                            call, coefficients(*a.constants[i], a.shape, [](double v) { return v; }), a.shape)
                      : a.tensors[i]);
  return all;
}

}  // namespace velum::model
