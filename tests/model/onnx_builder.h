// Builds small ONNX files for the tests, with the plain protobuf classes: nothing here goes through Velum's
// exporter.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/execute.h"
#include "model/onnx.h"

namespace velum::model::testing {

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

class Attribute {
 public:
  Attribute(const char* name, std::int64_t v) { start(name, onnx::AttributeProto::INT).set_i(v); }
  Attribute(const char* name, int v) : Attribute(name, std::int64_t{v}) {}
  Attribute(const char* name, double v) {
    start(name, onnx::AttributeProto::FLOAT).set_f(static_cast<float>(v));
  }
  Attribute(const char* name, const char* v) { start(name, onnx::AttributeProto::STRING).set_s(v); }
  Attribute(const char* name, const Ints& v) {
    auto& a = start(name, onnx::AttributeProto::INTS);
    for (const auto x : v) a.add_ints(x);
  }
  Attribute(const char* name, const Floats& v) {
    auto& a = start(name, onnx::AttributeProto::FLOATS);
    for (const auto x : v) a.add_floats(x);
  }
  Attribute(const char* name, const onnx::TensorProto& v) {
    *start(name, onnx::AttributeProto::TENSOR).mutable_t() = v;
  }
  onnx::AttributeProto proto;

 private:
  onnx::AttributeProto& start(const char* name, onnx::AttributeProto::AttributeType type) {
    proto.set_name(name);
    proto.set_type(type);
    return proto;
  }
};

inline onnx::TensorProto tensor(const Ints& dims, const Floats& values, const std::string& name = "") {
  onnx::TensorProto t;
  t.set_name(name);
  t.set_data_type(onnx::TensorProto::FLOAT);
  for (const auto d : dims) t.add_dims(d);
  t.set_raw_data(values.data(), values.size() * sizeof(float));
  return t;
}

inline onnx::TensorProto tensor(const Ints& dims, const Ints& values, const std::string& name = "") {
  onnx::TensorProto t;
  t.set_name(name);
  t.set_data_type(onnx::TensorProto::INT64);
  for (const auto d : dims) t.add_dims(d);
  for (const auto v : values) t.add_int64_data(v);  // the typed field, where floats above use raw data
  return t;
}

class OnnxFile {
 public:
  // Input "x" of shape {N} + shape, opset 13; the last node's output becomes the graph's.
  explicit OnnxFile(const Ints& shape, int opset = 13) {
    proto.set_ir_version(7);
    proto.add_opset_import()->set_version(opset);
    graph().set_name("test");
    input("x", shape);
  }
  onnx::GraphProto& graph() { return *proto.mutable_graph(); }
  OnnxFile& input(const std::string& name, const Ints& shape) {
    auto* v = graph().add_input();
    v->set_name(name);
    auto* t = v->mutable_type()->mutable_tensor_type();
    t->set_elem_type(onnx::TensorProto::FLOAT);
    t->mutable_shape()->add_dim()->set_dim_param("N");
    for (const auto d : shape) t->mutable_shape()->add_dim()->set_dim_value(d);
    return *this;
  }
  onnx::TensorShapeProto& input_shape() {
    return *graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  }
  OnnxFile& floats(const std::string& name, const Ints& dims, const Floats& values) {
    *graph().add_initializer() = tensor(dims, values, name);
    return *this;
  }
  OnnxFile& integers(const std::string& name, const Ints& values) {
    *graph().add_initializer() = tensor({static_cast<std::int64_t>(values.size())}, values, name);
    return *this;
  }
  OnnxFile& node(const char* op, const std::vector<std::string>& inputs, const std::string& output,
                 const std::vector<Attribute>& attributes = {}, const std::string& name = "") {
    auto* n = graph().add_node();
    n->set_op_type(op);
    n->set_name(name.empty() ? "node_" + output : name);
    for (const auto& i : inputs) n->add_input(i);
    n->add_output(output);
    for (const auto& a : attributes) *n->add_attribute() = a.proto;
    return *this;
  }
  std::vector<std::uint8_t> bytes() {
    if (graph().output_size() == 0 && graph().node_size() > 0)
      graph().add_output()->set_name(graph().node(graph().node_size() - 1).output(0));
    const std::string s = proto.SerializeAsString();
    return {s.begin(), s.end()};
  }
  Graph load() { return load_onnx(bytes(), "test.onnx"); }

  onnx::ModelProto proto;
};

// Deterministic values in [-1, 1].
inline Floats random_values(std::size_t n, unsigned seed = 1) {
  std::mt19937 generator(seed);
  Floats v(n);
  for (auto& x : v) x = static_cast<float>(generator() % 20001) / 10000.0F - 1.0F;
  return v;
}

inline Floats images_for(const Graph& g, std::size_t count, unsigned seed = 7) {
  return random_values(static_cast<std::size_t>(element_count(g.input_shape)) * count, seed);
}

template <typename T>
std::size_t count_of(const Graph& g) {
  std::size_t n = 0;
  for (const auto& node : g.nodes) n += std::holds_alternative<T>(node.op);
  return n;
}

template <typename T>
const T& only(const Graph& g) {
  for (const auto& node : g.nodes)
    if (const auto* op = std::get_if<T>(&node.op)) return *op;
  throw std::runtime_error("no such layer");
}

}  // namespace velum::model::testing
