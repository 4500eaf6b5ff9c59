#include "model/graph.h"

#include <fmt/ranges.h>

#include <limits>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "model/shapes.h"

namespace velum::model {

std::vector<double> broadcast(const Coefficients& c, const Shape& shape) {
  check_coefficients(c, shape, "broadcast");
  const auto n = static_cast<std::size_t>(element_count(shape));
  std::vector<double> out(n);
  if (c.dims.empty()) {
    out.assign(n, c.values[0]);
    return out;
  }
  // stride[i] is 0 along an axis that is repeated.
  std::vector<std::size_t> stride(shape.size()), index(shape.size());
  std::size_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    stride[i] = c.dims[i] == 1 ? 0 : step;
    step *= static_cast<std::size_t>(c.dims[i]);
  }
  std::size_t at = 0;
  for (std::size_t e = 0; e < n; ++e) {
    out[e] = c.values[at];
    for (std::size_t i = shape.size(); i-- > 0;) {
      at += stride[i];
      if (++index[i] < static_cast<std::size_t>(shape[i])) break;
      at -= stride[i] * index[i];
      index[i] = 0;
    }
  }
  return out;
}

std::string_view operation_name(const Operation& op) {
  constexpr std::string_view names[] = {
      "convolution", "dense",  "scale-shift", "average pool",       "global average pool", "pad",  "reshape",
      "transpose",   "concat", "combine",     "multiply",           "quadratic",           "relu", "max pool",
      "unsupported", "linear", "function",    "function along axes"};
  static_assert(std::size(names) == std::variant_size_v<Operation>);
  return names[op.index()];
}

const Node* Graph::producer(const std::string& tensor) const {
  for (const auto& n : nodes)
    if (n.output == tensor) return &n;
  if (tensor != input) fail_user("network '{}' has no tensor '{}'", name, tensor);
  return nullptr;
}

const Shape& Graph::shape_of(const std::string& tensor) const {
  const Node* n = producer(tensor);
  return n ? n->shape : input_shape;
}

Graph with_tail(Graph g) {
  if (g.tail.empty()) return g;
  g.output = g.tail.back().output;
  for (auto& n : g.tail) g.nodes.push_back(std::move(n));
  g.tail.clear();
  return g;
}

void infer_shapes(Graph& g) {
  std::unordered_map<std::string, Shape> shapes;
  std::set<std::string> names;
  try {
    check_shape(g.input_shape);
  } catch (const Error& e) {
    throw e.within(fmt::format("input '{}'", g.input));
  }
  shapes.emplace(g.input, g.input_shape);
  for (auto& node : g.nodes) {
    try {
      if (node.name.empty() || !names.insert(node.name).second)
        fail_user("the name is empty or used twice: every node needs one of its own");
      std::vector<Shape> inputs;
      for (const auto& t : node.inputs) {
        const auto it = shapes.find(t);
        if (it == shapes.end()) fail_user("reads tensor '{}', which no earlier node produces", t);
        inputs.push_back(it->second);
      }
      node.shape = infer_shape(node, inputs);
      if (!shapes.emplace(node.output, node.shape).second)
        fail_user("produces tensor '{}', which already exists", node.output);
    } catch (const Error& e) {
      throw e.within(fmt::format("node '{}' ({})", node.name, operation_name(node.op)));
    }
  }
  if (!shapes.contains(g.output))
    fail_user("network '{}': no node produces its output '{}'", g.name, g.output);
}

}  // namespace velum::model
