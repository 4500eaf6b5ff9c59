#include "model/onnx_import.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "model/shapes.h"

namespace velum::model {

// --- What converters ask of a node ---

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

std::vector<std::int64_t> Call::integers(int i, std::string_view what) const {
  const Constant& c = constant(i, what);
  if (!c.integral) fail_user("has {} '{}' of floats, expected integers", what, proto_.input(i));
  return c.integers;
}

const std::string& Call::tensor(int i) const {
  if (!has_input(i)) fail_user("lacks input {}", i);
  const auto it = importer_.tensors.find(proto_.input(i));
  if (it == importer_.tensors.end())
    fail_user("has the constant '{}' as input {}, expected a value computed from the images", proto_.input(i),
              i);
  return it->second;
}

const Shape& Call::shape(int i) const {
  return importer_.shapes.at(tensor(i));
}

void Call::expect_inputs(int low, int high) const {
  if (input_count() < low || input_count() > high)
    fail_user("has {} inputs, expected {}", input_count(),
              low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high));
}

void Call::expect_one_output() const {
  for (int i = 1; i < proto_.output_size(); ++i)
    if (!proto_.output(i).empty() && importer_.read_names.contains(proto_.output(i)))
      fail_user("has its output '{}' used, Velum computes the first output only", proto_.output(i));
}

std::string Call::append(Operation op, std::vector<std::string> inputs, Shape target,
                         const std::string& output) {
  std::string name =
      proto_.name().empty() ? fmt::format("{}_{}", proto_.op_type(), proto_.output(0)) : proto_.name();
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

std::string Call::finish(Operation op, std::vector<std::string> inputs, Shape target) {
  const std::string& output = proto_.output(0);
  importer_.tensors[output] = output;
  return append(std::move(op), std::move(inputs), std::move(target), output);
}

std::string Call::part(Operation op, std::vector<std::string> inputs, Shape target) {
  std::string output;
  for (int i = 1; output.empty(); ++i) {
    output = fmt::format("{}.part{}", proto_.output(0), i);
    if (!importer_.tensor_names.insert(output).second) output.clear();
  }
  return append(std::move(op), std::move(inputs), std::move(target), output);
}

void Call::alias(const std::string& tensor) {
  importer_.tensors[proto_.output(0)] = tensor;
}

void Call::define(Constant c) {
  importer_.constants[proto_.output(0)] = std::move(c);
}

std::int64_t checked_axis(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r) fail_user("names axis {} of a tensor with {} axes", axis, r);
  return axis < 0 ? axis + r : axis;
}

// --- The graph as a whole ---

namespace {

constexpr int max_nodes = 10000;

void read_input(const onnx::GraphProto& proto, Importer& importer) {
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const auto& v : proto.input())
    if (!importer.constants.contains(v.name()))
      inputs.push_back(&v);  // old files list their weights as inputs
  if (inputs.size() != 1) {
    std::vector<std::string> names;
    for (const auto* v : inputs) names.push_back(v->name());
    fail_user("has {} inputs ({}), expected one: the images", inputs.size(), fmt::join(names, ", "));
  }
  const auto& v = *inputs[0];
  if (v.name().empty()) fail_user("has an input without a name");
  if (!v.type().has_tensor_type() || v.type().tensor_type().elem_type() != onnx::TensorProto::FLOAT)
    fail_user("input '{}' is not a tensor of FLOAT: export the network with 32-bit floats", v.name());
  if (!v.type().tensor_type().has_shape())
    fail_user("input '{}' has no shape: only the batch axis may be left open", v.name());
  const auto& dims = v.type().tensor_type().shape().dim();
  if (dims.size() < 2)
    fail_user("input '{}' has {} axes, expected a batch axis and at least one more", v.name(), dims.size());
  if (dims[0].has_dim_value() && dims[0].dim_value() > 0) importer.declared_batch = dims[0].dim_value();
  for (int i = 1; i < dims.size(); ++i) {
    if (!dims[i].has_dim_value() || dims[i].dim_value() < 1)
      fail_user(
          "input '{}' has an open axis {} ('{}'): only the batch axis may be left open, export with a fixed "
          "size",
          v.name(), i, dims[i].has_dim_value() ? std::to_string(dims[i].dim_value()) : dims[i].dim_param());
    importer.graph.input_shape.push_back(dims[i].dim_value());
  }
  check_shape(importer.graph.input_shape);
  importer.graph.input = v.name();
  importer.tensors[v.name()] = v.name();
  importer.shapes[v.name()] = importer.graph.input_shape;
  if (!importer.tensor_names.insert(v.name()).second) fail_user("defines tensor '{}' twice", v.name());
}

void read_initialisers(const onnx::GraphProto& proto, Importer& importer) {
  if (proto.sparse_initializer_size() > 0)
    fail_user("stores weights as sparse tensors, which Velum does not read: export it with dense weights");
  for (const auto& t : proto.initializer()) {
    if (t.name().empty() || !importer.constants.try_emplace(t.name()).second)
      fail_user("initialiser '{}' has no name of its own", t.name());
    importer.constants[t.name()] = read_tensor(t, fmt::format("initialiser '{}'", t.name()));
  }
}

// Every tensor is produced once; names of all of them are taken before any node adds intermediate ones.
void take_names(const onnx::GraphProto& proto, Importer& importer) {
  for (const auto& [name, value] : importer.constants) importer.tensor_names.insert(name);
  for (const auto& n : proto.node())
    for (const auto& out : n.output())
      if (!out.empty() && !importer.tensor_names.insert(out).second)
        fail_user("defines tensor '{}' twice", out);
  for (const auto& n : proto.node()) importer.read_names.insert(n.input().begin(), n.input().end());
  for (const auto& v : proto.output()) importer.read_names.insert(v.name());
}

void check_defined(const onnx::NodeProto& node, const Importer& importer) {
  for (const auto& in : node.input())
    if (!in.empty() && !importer.tensors.contains(in) && !importer.constants.contains(in))
      fail_user("reads '{}', which is neither an initialiser of the file nor produced by an earlier node",
                in);
  if (node.output_size() < 1 || node.output(0).empty()) fail_user("has no output");
}

std::string describe(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})",
                     node.name().empty() && node.output_size() ? node.output(0) : node.name(),
                     node.op_type());
}

void convert(Importer& importer, const onnx::NodeProto& node) {
  try {
    check_defined(node, importer);
    if (!node.domain().empty() && node.domain() != "ai.onnx")
      fail_user("comes from operator set '{}', Velum reads standard ONNX operators only", node.domain());
    Call call(importer, node);
    if (fold_constants(call) || convert_linear(call) || convert_pool(call) || convert_elementwise(call) ||
        convert_shape(call)) {
      call.attributes.expect_no_more();
      call.expect_one_output();
      return;
    }
    fail_user("is an operator that Velum does not support");
  } catch (const Error& e) {
    throw e.within(describe(node));
  }
}

// The client applies these to the decrypted outputs; the order of the outputs, and so the prediction, stays.
void drop_final_activation(Graph& g) {
  constexpr std::array final_ops{"Softmax", "LogSoftmax", "Hardmax", "ArgMax", "Sigmoid"};
  for (bool dropped = true; dropped;) {
    dropped = false;
    const auto last =
        std::find_if(g.nodes.begin(), g.nodes.end(), [&](const Node& n) { return n.output == g.output; });
    if (last == g.nodes.end()) return;
    const auto* u = std::get_if<Unsupported>(&last->op);
    if (!u || std::find(final_ops.begin(), final_ops.end(), u->op) == final_ops.end()) return;
    g.notes.push_back(
        fmt::format("dropped the final {} (node '{}'): the client applies it to the decrypted outputs", u->op,
                    last->name));
    g.output = last->inputs[0];
    g.nodes.erase(last);
    dropped = true;
  }
}

}  // namespace

Graph import_graph(const onnx::GraphProto& proto) {
  Importer importer;
  importer.graph.name = proto.name();
  if (proto.node_size() > max_nodes)
    fail_user("has {} nodes, expected at most {}", proto.node_size(), max_nodes);
  read_initialisers(proto, importer);
  take_names(proto, importer);
  read_input(proto, importer);
  for (const auto& node : proto.node()) convert(importer, node);
  if (proto.output_size() != 1) {
    std::vector<std::string> names;
    for (const auto& v : proto.output()) names.push_back(v.name());
    fail_user("has {} outputs ({}), expected one", names.size(), fmt::join(names, ", "));
  }
  const auto& output = proto.output(0).name();
  const auto it = importer.tensors.find(output);
  if (it == importer.tensors.end())
    fail_user("output '{}' does not depend on the images, or no node produces it", output);
  importer.graph.output = it->second;
  drop_final_activation(importer.graph);
  return std::move(importer.graph);
}

}  // namespace velum::model
