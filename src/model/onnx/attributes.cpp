#include "model/onnx/attributes.h"

#include <cmath>

#include "base/error.h"

namespace velum::model {

Attributes::Attributes(const onnx::NodeProto& node) : node_(node) {
  std::set<std::string> names;
  for (const auto& a : node.attribute())
    if (!names.insert(a.name()).second) fail_user("has attribute '{}' twice", a.name());
}

bool Attributes::has(const char* name) const {
  for (const auto& a : node_.attribute())
    if (a.name() == name) return true;
  return false;
}

const onnx::AttributeProto* Attributes::find(const char* name, onnx::AttributeProto::AttributeType type) {
  read_.insert(name);
  for (const auto& a : node_.attribute()) {
    if (a.name() != name) continue;
    if (a.type() != type)
      fail_user("has attribute '{}' of type {}, expected {}", name,
                onnx::AttributeProto::AttributeType_Name(a.type()),
                onnx::AttributeProto::AttributeType_Name(type));
    return &a;
  }
  return nullptr;
}

std::int64_t Attributes::integer(const char* name, std::int64_t otherwise) {
  const auto* a = find(name, onnx::AttributeProto::INT);
  return a ? a->i() : otherwise;
}

double Attributes::real(const char* name, double otherwise) {
  const auto* a = find(name, onnx::AttributeProto::FLOAT);
  if (a && !std::isfinite(a->f()))
    fail_user("has attribute '{}' = {}, expected a finite number", name, a->f());
  return a ? static_cast<double>(a->f()) : otherwise;
}

std::string Attributes::text(const char* name, const std::string& otherwise) {
  const auto* a = find(name, onnx::AttributeProto::STRING);
  return a ? a->s() : otherwise;
}

std::vector<std::int64_t> Attributes::integers(const char* name, std::vector<std::int64_t> otherwise) {
  const auto* a = find(name, onnx::AttributeProto::INTS);
  if (!a) return otherwise;
  return {a->ints().begin(), a->ints().end()};
}

std::vector<double> Attributes::reals(const char* name) {
  const auto* a = find(name, onnx::AttributeProto::FLOATS);
  if (!a) return {};
  return {a->floats().begin(), a->floats().end()};
}

const onnx::TensorProto& Attributes::tensor(const char* name) {
  const auto* a = find(name, onnx::AttributeProto::TENSOR);
  if (!a) fail_user("lacks attribute '{}'", name);
  return a->t();
}

void Attributes::ignore_all() {
  for (const auto& a : node_.attribute()) read_.insert(a.name());
}

void Attributes::expect_no_more() const {
  for (const auto& a : node_.attribute())
    if (!read_.contains(a.name())) fail_user("has attribute '{}', which Velum does not support", a.name());
}

}  // namespace velum::model
