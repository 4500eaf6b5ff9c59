// Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Concat: what renames elements. The batch axis keeps its
// place among them, wherever that is; a file of one image may lose it.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"

namespace velum::model {

namespace {

void reshape_to(Call& call, const Value& v, Shape target, int batch) {
  call.finish(Reshape{}, {v.tensor}, std::move(target), batch);
}

std::int64_t product(const Dims& dims, std::size_t first, std::size_t last) {
  std::int64_t p = 1;
  for (std::size_t i = first; i < last; ++i) p *= dims[i];
  return p;
}

void flatten(Call& call) {
  call.expect_inputs(1, 1);
  Value v = call.value(0);
  const auto rank = static_cast<std::int64_t>(rank_of(v));
  std::int64_t axis = call.attributes.integer("axis", 1);
  if (axis < -rank || axis > rank) fail_user("flattens at axis {} of a tensor with {} axes", axis, rank);
  if (axis < 0) axis += rank;
  const Dims full = full_dims(v);
  const auto at = static_cast<std::size_t>(axis);
  const auto before = product(full, 0, at), after = product(full, at, full.size());
  if (v.batch != no_batch && v.batch < axis && before == 1) return reshape_to(call, v, {after}, 0);
  if (v.batch != no_batch && v.batch >= axis && after == 1) return reshape_to(call, v, {before}, 1);
  v = call.plain(v, "flattens into one with others");
  reshape_to(call, v, {before, after}, no_batch);
}

// The target of a Reshape, resolved.
struct Target {
  Dims dims;  // without the batch axis
  int batch = no_batch;
};

[[noreturn]] void refuse_target(const Value& v, const Dims& target, std::string_view why) {
  std::vector<std::string> text;
  for (const auto d : target)
    text.push_back(d == batch_extent ? "N" : d == batch_multiple ? "N times more" : std::to_string(d));
  fail_user("reshapes {} (batch axis left out) to ({}): {}", to_string(v.dims), fmt::join(text, ","), why);
}

// Whether the element order survives with the batch axis at `place` of the result: as many elements before
// it.
bool keeps_order(const Value& v, const Dims& dims, std::size_t place) {
  return product(v.dims, 0, static_cast<std::size_t>(v.batch)) == product(dims, 0, place);
}

// Which entry is the batch axis: the number of images itself, a 0 that copies it, -1, or its fixed length.
std::optional<std::size_t> batch_entry(const Importer& importer, const Value& v, const Dims& target,
                                       bool zero_copies) {
  for (std::size_t i = 0; i < target.size(); ++i)
    if (target[i] == batch_extent) return i;
  if (zero_copies && static_cast<std::size_t>(v.batch) < target.size() &&
      target[static_cast<std::size_t>(v.batch)] == 0)
    return static_cast<std::size_t>(v.batch);
  const auto n = element_count(v.dims);
  std::int64_t known = 1;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == -1) open = i;
    const auto copied = target[i] == 0 && zero_copies && i < rank_of(v) ? full_dims(v)[i] : target[i];
    if (copied > 0 && __builtin_mul_overflow(known, copied, &known)) return std::nullopt;
  }
  if (open && known == n) return open;
  if (importer.declared_batch > 0)
    for (std::size_t i = 0; i < target.size(); ++i)
      if (target[i] == importer.declared_batch) {
        Dims before;
        for (std::size_t a = 0; a < i; ++a) before.push_back(std::max<std::int64_t>(target[a], 1));
        if (keeps_order(v, before, before.size())) return i;
      }
  return std::nullopt;
}

Target resolve(const Value& v, const Dims& target, std::optional<std::size_t> batch, bool zero_copies) {
  const Dims full = full_dims(v);
  Target out;
  std::ptrdiff_t open = -1;
  std::int64_t known = 1;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (batch && i == *batch) {
      out.batch = static_cast<int>(out.dims.size());
      continue;
    }
    std::int64_t d = target[i];
    if (is_free(d)) refuse_target(v, target, "it would mix the images of a batch");
    if (d == 0 && !zero_copies) refuse_target(v, target, "an axis would be empty");
    if (d == 0) {
      if (i >= full.size()) refuse_target(v, target, "a 0 copies an axis that is not there");
      if (static_cast<int>(i) == v.batch) refuse_target(v, target, "the batch axis would be copied twice");
      d = full[i];
    }
    if (d == -1) {
      if (open >= 0) refuse_target(v, target, "two axes are left open");
      open = static_cast<std::ptrdiff_t>(out.dims.size());
      d = 1;
    }
    if (d < 1 || __builtin_mul_overflow(known, d, &known))
      refuse_target(v, target, "axes must be at least 1");
    out.dims.push_back(d);
  }
  const auto n = element_count(v.dims);
  if (open >= 0) {
    if (batch && target[*batch] == -1)
      refuse_target(v, target, "both the batch axis and another are left open");
    if (n % known != 0) refuse_target(v, target, "the open axis does not come out whole");
    out.dims[static_cast<std::size_t>(open)] = n / known;
  }
  if (element_count(out.dims) != n)
    refuse_target(v, target,
                  fmt::format("each image has {} elements; it would mix the images of a batch", n));
  return out;
}

void reshape(Call& call) {
  Dims target;
  if (call.opset() < 5) {
    target = call.attributes.integers("shape", {});
  } else {
    call.expect_inputs(2, 2);
    target = call.integers(1, "shape");
  }
  const bool zero_copies = call.attributes.integer("allowzero", 0) == 0;
  call.attributes.ignore("consumed_inputs");
  Value v = call.value(0);
  if (target.size() > 8) refuse_target(v, target, "expected at most 8 axes");
  std::optional<std::size_t> batch;
  if (v.batch != no_batch) {
    batch = batch_entry(call.importer(), v, target, zero_copies);
    if (batch) {
      Dims before;
      const Dims full = full_dims(v);
      for (std::size_t a = 0; a < *batch; ++a)
        before.push_back(target[a] > 0 ? target[a] : target[a] == 0 && a < full.size() ? full[a] : 0);
      // An open axis before it is checked once it is known.
      const bool open = std::find(before.begin(), before.end(), 0) != before.end();
      if (!open && !keeps_order(v, before, before.size())) batch.reset();
    }
    if (!batch && !call.importer().one_image())
      refuse_target(v, target, "it would mix the images of a batch");
    if (!batch) v = call.plain(v, "");
  }
  const Target t = resolve(v, target, batch, zero_copies);
  if (t.batch != no_batch && !keeps_order(v, t.dims, static_cast<std::size_t>(t.batch)))
    refuse_target(v, target, "it would mix the images of a batch");
  reshape_to(call, v, t.dims, t.batch);
}

void squeeze(Call& call) {
  call.expect_inputs(1, 2);
  const Dims axes = call.listed("axes", 1, 13, {});
  Value v = axes.empty() ? call.value(0) : call.beside(0, axes, "removes");
  if (axes.empty() && v.batch != no_batch && call.importer().one_image()) v = call.plain(v, "");
  const Dims full = full_dims(v);
  std::vector<bool> drop(full.size(), false);
  for (const auto a : axes) {
    const auto axis = static_cast<std::size_t>(checked_axis(a, full.size()));
    if (full[axis] != 1)
      fail_user("removes axis {} of a tensor {} (batch axis as 1), which is not 1", a, to_string(full));
    drop[axis] = true;
  }
  Shape out;
  int batch = no_batch;
  for (std::size_t i = 0; i < full.size(); ++i) {
    if (static_cast<int>(i) == v.batch)
      batch = static_cast<int>(out.size());
    else if (axes.empty() ? full[i] != 1 : !drop[i])
      out.push_back(full[i]);
  }
  reshape_to(call, v, out, batch);
}

void unsqueeze(Call& call) {
  call.expect_inputs(1, 2);
  const Value v = call.value(0);
  const Dims axes = call.listed("axes", 1, 13, {});
  if (axes.empty() || axes.size() > 8) fail_user("adds {} axes, expected 1 to 8", axes.size());
  const Dims full = full_dims(v);
  std::vector<bool> added(full.size() + axes.size(), false);
  for (const auto a : axes) {
    const auto axis = static_cast<std::size_t>(checked_axis(a, added.size()));
    if (added[axis]) fail_user("adds axis {} twice", axis);
    added[axis] = true;
  }
  Shape out;
  int batch = no_batch;
  for (std::size_t i = 0, from = 0; i < added.size(); ++i) {
    if (!added[i] && static_cast<int>(from) == v.batch)
      batch = static_cast<int>(out.size()), ++from;
    else
      out.push_back(added[i] ? 1 : full[from++]);
  }
  reshape_to(call, v, out, batch);
}

Dims permutation(Call& call, std::size_t rank) {
  Dims perm = call.attributes.integers("perm", {});
  if (perm.empty())
    for (std::size_t i = rank; i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  Dims sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool valid = sorted.size() == rank;
  for (std::size_t i = 0; valid && i < rank; ++i) valid = sorted[i] == static_cast<std::int64_t>(i);
  if (!valid) fail_user("permutes axes ({}) of a tensor with {} axes", fmt::join(perm, ","), rank);
  return perm;
}

void transpose(Call& call) {
  call.expect_inputs(1, 1);
  if (call.is_constant(0)) {
    const Operand c = operand(call, 0, {}, "");
    const Dims perm = permutation(call, c.dims.size()), own = row_strides(c.dims);
    Dims dims, steps;
    for (const auto p : perm) {
      dims.push_back(c.dims[static_cast<std::size_t>(p)]);
      steps.push_back(own[static_cast<std::size_t>(p)]);
    }
    return place(call, c, moved(dims, [&](const Dims& i) { return position(i, steps); }), no_batch);
  }
  const Value v = call.value(0);
  const Dims perm = permutation(call, rank_of(v));
  Transpose t;
  Shape out;
  int batch = no_batch, last = -1;
  bool relabels = true;  // the axes longer than 1 keep their order
  for (const auto p : perm) {
    if (p == v.batch) {
      batch = static_cast<int>(out.size());
      continue;
    }
    const int from = feature_axis(v, p);
    const auto extent = v.dims[static_cast<std::size_t>(from)];
    t.axes.push_back(from);
    out.push_back(extent);
    if (extent == 1) continue;
    relabels = relabels && from > last;
    last = from;
  }
  if (relabels)
    reshape_to(call, v, std::move(out), batch);
  else
    call.finish(std::move(t), {v.tensor}, {}, batch);
}

Constant joined(Call& call, std::size_t axis) {
  const Constant& first = call.constant(0, "input");
  Constant out;
  out.integral = first.integral;
  out.dims = first.dims;
  out.dims[axis] = 0;
  std::vector<const Constant*> parts;
  for (int i = 0; i < call.input_count(); ++i) {
    const Constant& c = call.constant(i, "input");
    Dims others = c.dims, wanted = first.dims;
    if (others.size() == wanted.size()) others[axis] = wanted[axis] = 0;
    if (c.integral != out.integral || others != wanted)
      fail_user("joins constants of different shapes or types");
    account(call.importer(), c.size());
    out.dims[axis] += c.dims[axis];
    parts.push_back(&c);
  }
  for (std::int64_t before = 0, n = product(out.dims, 0, axis); before < n; ++before)
    for (const auto* c : parts) {
      const auto length = product(c->dims, axis, c->dims.size());
      const auto begin = before * length;
      for (std::int64_t k = begin; k < begin + length; ++k) {
        if (c->integral)
          out.integers.push_back(c->integers[static_cast<std::size_t>(k)]);
        else
          out.floats.push_back(c->floats[static_cast<std::size_t>(k)]);
      }
    }
  return out;
}

// Inputs of one rank and one place of the batch axis, which is not the one they are joined along.
std::vector<Value> to_join(Call& call, std::int64_t axis, std::size_t rank) {
  std::vector<Value> parts;
  int batch = no_batch;
  bool any = false, agree = true;
  for (int i = 0; i < call.input_count(); ++i) {
    if (call.is_constant(i)) continue;
    const Value v = call.beside(i, {axis}, "joins along");
    agree = agree && (!any || v.batch == batch);
    if (!any) batch = v.batch;
    any = true;
  }
  for (int i = 0; i < call.input_count(); ++i) {
    if (!call.is_constant(i)) {
      const Value v = call.beside(i, {axis}, "joins along");
      parts.push_back(agree ? v : call.plain(v, "has in different places"));
      if (rank_of(parts.back()) != rank)
        fail_user("joins tensors of {} and {} axes", rank_of(parts.back()), rank);
      continue;
    }
    const int place = agree ? batch : no_batch;
    const auto c = same_for_images(call.importer(), call.constant(i, "input"), place, rank);
    const Constant& own = c ? *c : call.constant(i, "input");
    Coefficients values{own.dims, {}};
    for (const double x : own.floats) values.values.push_back(static_cast<float>(x));
    for (const auto x : own.integers) values.values.push_back(static_cast<float>(x));
    parts.push_back({constant_tensor(call, values, own.dims), own.dims, place});
  }
  return parts;
}

void concat(Call& call) {
  call.expect_inputs(1, 1 << 16);
  if (!call.attributes.has("axis")) fail_user("lacks attribute 'axis'");
  bool constant = true;
  std::size_t rank = 0;
  for (int i = 0; i < call.input_count(); ++i) {
    constant = constant && call.is_constant(i);
    if (!call.is_constant(i)) rank = rank_of(call.value(i));
  }
  if (constant) rank = call.constant(0, "input").dims.size();
  const auto axis = checked_axis(call.attributes.integer("axis", 1), rank);
  if (constant) return call.define(joined(call, static_cast<std::size_t>(axis)));
  const auto parts = to_join(call, axis, rank);
  const int batch = parts[0].batch;
  const auto at = static_cast<std::size_t>(feature_axis(parts[0], axis));
  std::vector<std::string> inputs, flat;
  Shape out = parts[0].dims;
  out[at] = 0;
  for (const auto& p : parts) {
    Shape others = p.dims, wanted = out;
    others[at] = wanted[at] = 0;
    if (others != wanted)
      fail_user("joins {} and {} along axis {}, which differ in more than that axis",
                to_string(parts[0].dims), to_string(p.dims), axis);
    out[at] += p.dims[at];
    inputs.push_back(p.tensor);
  }
  if (product(out, 0, at) == 1 && at > 0) {
    // Nothing but ones before it: the elements follow one another.
    Shape tail(out.begin() + static_cast<std::ptrdiff_t>(at) + 1, out.end());
    for (const auto& p : parts) {
      Shape own = tail;
      own.insert(own.begin(), p.dims[at]);
      flat.push_back(call.part(Reshape{}, {p.tensor}, own));
    }
    call.finish(Reshape{}, {call.part(Concat{}, flat)}, out, batch);
    return;
  }
  if (at == 0) {
    call.finish(Concat{}, inputs, {}, batch);
    return;
  }
  // All elements in a row, then each to its place.
  struct Begin {
    std::int64_t along, elements;
  };
  std::vector<Begin> begins;
  Begin b{0, 0};
  for (const auto& p : parts) {
    flat.push_back(call.part(Reshape{}, {p.tensor}, {element_count(p.dims)}));
    begins.push_back(b);
    b.along += p.dims[at];
    b.elements += element_count(p.dims);
  }
  const auto row = call.part(Concat{}, flat);
  Linear rows = moved(out, [&](const Dims& index) {
    std::size_t which = begins.size() - 1;
    while (begins[which].along > index[at]) --which;
    Dims own = index;
    own[at] -= begins[which].along;
    return begins[which].elements + position(own, row_strides(parts[which].dims));
  });
  call.finish(std::move(rows), {row}, {}, batch);
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
