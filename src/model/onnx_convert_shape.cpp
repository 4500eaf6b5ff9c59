// Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Concat: what moves or renames elements. Axis 0 is the
// batch axis and must stay in front, whatever its size.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx_import.h"

namespace velum::model {

namespace {

using Axes = std::vector<std::int64_t>;

void reshape_to(Call& call, Shape target) {
  call.finish(Reshape{}, {call.tensor(0)}, std::move(target));
}

void flatten(Call& call) {
  call.expect_inputs(1, 1);
  const Shape& in = call.shape(0);
  const auto rank = static_cast<std::int64_t>(in.size()) + 1;
  std::int64_t axis = call.attributes.integer("axis", 1);
  if (axis < -rank || axis > rank) fail_user("flattens at axis {} of a tensor with {} axes", axis, rank);
  if (axis < 0) axis += rank;
  const bool batch_alone =
      axis >= 1 && std::all_of(in.begin(), in.begin() + std::max<std::int64_t>(axis - 1, 0),
                               [](std::int64_t d) { return d == 1; });
  if (!batch_alone) fail_user("flattens at axis {}, which would mix the batch with the features", axis);
  reshape_to(call, {element_count(in)});
}

void reshape(Call& call) {
  call.expect_inputs(2, 2);
  const Axes target = call.integers(1, "shape");
  const bool zero_is_zero = call.attributes.integer("allowzero", 0) != 0;
  const Shape& in = call.shape(0);
  const auto refuse = [&](std::string_view why) {
    fail_user("reshapes {} (batch axis left out) to ({}): {}", to_string(in), fmt::join(target, ","), why);
  };
  if (target.empty() || target.size() > 8) refuse("expected 1 to 8 axes, the batch axis first");
  if (zero_is_zero && std::find(target.begin(), target.end(), 0) != target.end())
    refuse("an axis would be empty");
  const auto batch = target[0], declared = call.importer().declared_batch;
  const bool keeps_batch =
      batch == 0 || batch == -1 || batch == batch_extent || (declared > 0 && batch == declared);
  if (!keeps_batch) refuse("the first axis must stay the batch axis");
  Shape out;
  std::ptrdiff_t open = -1;
  std::int64_t known = 1;
  for (std::size_t i = 1; i < target.size(); ++i) {
    std::int64_t d = target[i];
    if (d == batch_extent) refuse("the batch axis would move");
    if (d == 0) {
      if (i - 1 >= in.size()) refuse("a 0 copies an axis that is not there");
      d = in[i - 1];
    }
    if (d == -1) {
      if (open >= 0) refuse("two axes are left open");
      open = static_cast<std::ptrdiff_t>(i) - 1;
      d = 1;
    }
    if (d < 1 || __builtin_mul_overflow(known, d, &known)) refuse("axes must be at least 1");
    out.push_back(d);
  }
  const auto n = element_count(in);
  if (open >= 0 && batch != -1) {
    if (n % known != 0) refuse("the open axis does not come out whole");
    out[static_cast<std::size_t>(open)] = n / known;
  } else if (open >= 0) {
    refuse("both the batch axis and another are left open");
  }
  if (element_count(out) != n) refuse(fmt::format("each image has {} elements", n));
  reshape_to(call, std::move(out));
}

Axes axes_of(Call& call) {
  if (call.attributes.has("axes")) return call.attributes.integers("axes", {});
  return call.has_input(1) ? call.integers(1, "axes") : Axes{};
}

void squeeze(Call& call) {
  call.expect_inputs(1, 2);
  const Shape& in = call.shape(0);
  Axes axes = axes_of(call);
  std::vector<bool> drop(in.size() + 1, false);
  for (const auto a : axes) {
    const auto axis = checked_axis(a, drop.size());
    if (axis == 0) fail_user("removes the batch axis");
    if (in[static_cast<std::size_t>(axis) - 1] != 1)
      fail_user("removes axis {} of a tensor {} (batch axis left out), which is not 1", axis, to_string(in));
    drop[static_cast<std::size_t>(axis)] = true;
  }
  Shape out;
  for (std::size_t i = 0; i < in.size(); ++i)
    if (axes.empty() ? in[i] != 1 : !drop[i + 1]) out.push_back(in[i]);
  reshape_to(call, std::move(out));
}

void unsqueeze(Call& call) {
  call.expect_inputs(1, 2);
  const Shape& in = call.shape(0);
  const Axes axes = axes_of(call);
  if (axes.empty() || axes.size() > 8) fail_user("adds {} axes, expected 1 to 8", axes.size());
  std::vector<bool> added(in.size() + 1 + axes.size(), false);
  for (const auto a : axes) {
    const auto axis = static_cast<std::size_t>(checked_axis(a, added.size()));
    if (axis == 0) fail_user("adds an axis before the batch axis");
    if (added[axis]) fail_user("adds axis {} twice", axis);
    added[axis] = true;
  }
  Shape out;
  for (std::size_t i = 1, from = 0; i < added.size(); ++i) out.push_back(added[i] ? 1 : in[from++]);
  reshape_to(call, std::move(out));
}

void transpose(Call& call) {
  call.expect_inputs(1, 1);
  const Shape& in = call.shape(0);
  const std::size_t rank = in.size() + 1;
  Axes perm = call.attributes.integers("perm", {});
  if (perm.empty())
    for (std::size_t i = rank; i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  Axes sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool valid = sorted.size() == rank;
  for (std::size_t i = 0; valid && i < rank; ++i) valid = sorted[i] == static_cast<std::int64_t>(i);
  if (!valid) fail_user("permutes axes ({}) of a tensor with {} axes", fmt::join(perm, ","), rank);
  if (perm[0] != 0) fail_user("moves the batch axis (perm {})", fmt::join(perm, ","));
  Transpose t;
  Shape out;
  std::int64_t last = -1;
  bool relabels = true;  // the axes longer than 1 keep their order
  for (std::size_t i = 1; i < rank; ++i) {
    const auto from = perm[i] - 1, extent = in[static_cast<std::size_t>(from)];
    t.axes.push_back(static_cast<int>(from));
    out.push_back(extent);
    if (extent == 1) continue;
    relabels = relabels && from > last;
    last = from;
  }
  if (relabels)
    reshape_to(call, std::move(out));
  else
    call.finish(std::move(t), {call.tensor(0)});
}

void concat(Call& call) {
  call.expect_inputs(1, 1 << 16);
  std::vector<std::string> inputs;
  for (int i = 0; i < call.input_count(); ++i) inputs.push_back(call.tensor(i));
  if (!call.attributes.has("axis")) fail_user("lacks attribute 'axis'");
  const auto axis = checked_axis(call.attributes.integer("axis", 1), call.shape(0).size() + 1);
  if (axis != 1) fail_user("joins along axis {}, only channels (axis 1) can be joined", axis);
  call.finish(Concat{}, std::move(inputs));
}

}  // namespace

bool convert_shape(Call& call) {
  const std::string& op = call.op();
  if (op == "Flatten")
    flatten(call);
  else if (op == "Reshape")
    reshape(call);
  else if (op == "Squeeze")
    squeeze(call);
  else if (op == "Unsqueeze")
    unsqueeze(call);
  else if (op == "Transpose")
    transpose(call);
  else if (op == "Concat")
    concat(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
