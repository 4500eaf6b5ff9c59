#include "model/onnx/call.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "model/shapes.h"

namespace velum::model {

const Constant& Call::constant(int i, std::string_view what) const {
  if (!has_input(i)) fail_user("lacks its {} (input {})", what, i);
  const auto it = importer_.constants.find(proto_.input(i));
  if (it == importer_.constants.end())
    fail_user("has {} '{}' computed from the images, expected a constant", what, proto_.input(i));
  return it->second;
}

const Constant& Call::weights(int i, std::string_view what) const {
  const Constant& c = constant(i, what);
  if (c.integral) fail_user("has {} '{}' of integers, expected floats", what, proto_.input(i));
  return c;
}

std::vector<float> Call::float_weights(int i, std::string_view what) const {
  const Constant& c = weights(i, what);
  std::vector<float> out;
  out.reserve(c.floats.size());
  for (const double v : c.floats) out.push_back(static_cast<float>(v));
  return out;
}

Dims Call::integers(int i, std::string_view what) const {
  const Constant& c = constant(i, what);
  if (!c.integral) fail_user("has {} '{}' of floats, expected integers", what, proto_.input(i));
  return c.integers;
}

double Call::number(int i, std::string_view what) const {
  const Constant& c = constant(i, what);
  if (c.size() != 1) fail_user("has {} '{}' of {} numbers, expected one", what, proto_.input(i), c.size());
  return c.integral ? static_cast<double>(c.integers[0]) : c.floats[0];
}

Dims Call::listed(const char* name, int input, std::int64_t since, Dims otherwise) {
  if (opset_ < since) return attributes.integers(name, std::move(otherwise));
  return has_input(input) ? integers(input, name) : otherwise;
}

Value Call::value(int i) const {
  if (!has_input(i)) fail_user("lacks input {}", i);
  const auto it = importer_.tensors.find(proto_.input(i));
  if (it == importer_.tensors.end())
    fail_user("has the constant '{}' as input {}, expected a value computed from the images", proto_.input(i),
              i);
  return it->second;
}

Value Call::in_front(int i) {
  Value v = value(i);
  if (v.batch == 0) return v;
  if (importer_.one_image()) {
    v = plain(v, "");
    if (!v.dims.empty() && v.dims[0] == 1) {
      v = part_of(v, Reshape{}, Shape(v.dims.begin() + 1, v.dims.end()));
      v.batch = 0;
      return v;
    }
  }
  if (v.batch == no_batch) fail_user("works on {}, which has no batch axis in front", to_string(v.dims));
  fail_user("has the batch axis as axis {} of its input, expected it in front", v.batch);
}

Value Call::plain(const Value& v, std::string_view what) {
  if (v.batch == no_batch) return v;
  if (!importer_.one_image())
    fail_user("{} the batch axis (axis {}), which would mix the images", what, v.batch);
  Shape target = full_dims(v);
  Value out = part_of(v, Reshape{}, std::move(target));
  out.batch = no_batch;
  return out;
}

Value Call::beside(int i, const Dims& axes, std::string_view what) {
  Value v = value(i);
  const auto rank = rank_of(v);
  const bool touched = v.batch != no_batch && std::any_of(axes.begin(), axes.end(), [&](std::int64_t a) {
                         return checked_axis(a, rank) == v.batch;
                       });
  return touched ? plain(v, what) : v;
}

void Call::expect_inputs(int low, int high) const {
  if (input_count() < low || input_count() > high)
    fail_user("has {} inputs, expected {}", input_count(),
              low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high));
}

bool Call::output_is_read(int i) const {
  return i < proto_.output_size() && !proto_.output(i).empty() &&
         importer_.read_names.contains(proto_.output(i));
}

void Call::expect_one_output() const {
  for (int i = 1; i < proto_.output_size(); ++i)
    if (output_is_read(i))
      fail_user("has its output '{}' used, Velum computes the first output only", proto_.output(i));
}

std::string Call::append(Operation op, std::vector<std::string> inputs, Shape target,
                         const std::string& output) {
  const std::string wish =
      proto_.name().empty() ? fmt::format("{}_{}", proto_.op_type(), proto_.output(0)) : proto_.name();
  std::string name = wish;
  for (int i = 2; !importer_.node_names.insert(name).second; ++i)
    name = fmt::format("{}.{}", proto_.name().empty() ? proto_.op_type() : proto_.name(), i);
  Node n{std::move(name), std::move(op), std::move(inputs), output, std::move(target)};
  std::vector<Shape> shapes;
  for (const auto& t : n.inputs) shapes.push_back(importer_.shapes.at(t));
  n.shape = infer_shape(n, shapes);
  importer_.shapes[output] = n.shape;
  importer_.graph.nodes.push_back(std::move(n));
  return output;
}

std::string Call::finish(Operation op, std::vector<std::string> inputs, Shape target, int batch) {
  std::string name = append(std::move(op), std::move(inputs), std::move(target), output());
  importer_.tensors[name] = {name, importer_.shapes.at(name), batch};
  return name;
}

std::string Call::part(Operation op, std::vector<std::string> inputs, Shape target) {
  std::string name;
  for (int i = 1; name.empty(); ++i) {
    name = fmt::format("{}.part{}", output(), i);
    if (!importer_.tensor_names.insert(name).second) name.clear();
  }
  return append(std::move(op), std::move(inputs), std::move(target), name);
}

Value Call::part_of(const Value& v, Operation op, Shape target) {
  Value out = v;
  out.tensor = part(std::move(op), {v.tensor}, std::move(target));
  out.dims = importer_.shapes.at(out.tensor);
  return out;
}

void Call::alias(const Value& v) {
  importer_.tensors[output()] = v;
}

void Call::define(Constant c) {
  importer_.constants[output()] = std::move(c);
}

std::int64_t checked_axis(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r) fail_user("names axis {} of a tensor with {} axes", axis, r);
  return axis < 0 ? axis + r : axis;
}

std::size_t rank_of(const Value& v) {
  return v.dims.size() + (v.batch == no_batch ? 0 : 1);
}

Dims full_dims(const Value& v) {
  Dims full = v.dims;
  if (v.batch != no_batch) full.insert(full.begin() + v.batch, 1);
  return full;
}

int feature_axis(const Value& v, std::int64_t axis) {
  return static_cast<int>(axis) - (v.batch != no_batch && axis > v.batch ? 1 : 0);
}

Shape without_batch(const Dims& full, int batch) {
  Shape out = full;
  if (batch != no_batch) out.erase(out.begin() + batch);
  return out;
}

}  // namespace velum::model
