#include "model/tail.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "model/execute.h"

namespace velum::model {

namespace {

// The axes of a final function are the classes' when they hold all outputs, or are the channels of a map of
// outputs.
bool along_classes(const AxisFunction& f, const Shape& in) {
  std::int64_t along = 1;
  for (int a = f.first; a < f.last; ++a) along *= in[static_cast<std::size_t>(a)];
  return along == element_count(in) || (in.size() == 3 && f.first == 0 && f.last == 1);
}

// Gives every class another score in the same order.
bool keeps_order(const Node& n, const Shape& in) {
  if (const auto* f = std::get_if<AxisFunction>(&n.op)) {
    constexpr std::array ops{"Softmax", "LogSoftmax", "Hardmax", "ArgMax"};
    return std::find(ops.begin(), ops.end(), f->op) != ops.end() && along_classes(*f, in);
  }
  const auto* f = std::get_if<Function>(&n.op);
  return f && f->op == "Sigmoid";
}

// May stand between or behind those: names axes anew, or keeps the order of probabilities.
bool may_follow(const Node& n) {
  if (std::holds_alternative<Reshape>(n.op)) return true;
  const auto* f = std::get_if<Function>(&n.op);
  return f && n.inputs.size() == 1 && (f->op == "Log" || f->op == "Clip");
}

std::string name_of(const Operation& op) {
  if (const auto* f = std::get_if<AxisFunction>(&op)) return f->op;
  if (const auto* f = std::get_if<Function>(&op)) return f->op;
  return "Reshape";
}

}  // namespace

void split_tail(Graph& g) {
  // From the output backwards, as long as every node has one reader; `begin`: the tail so far.
  std::size_t begin = g.nodes.size();
  std::string at = g.output;
  for (std::size_t i = g.nodes.size(); i-- > 0;) {
    const Node& n = g.nodes[i];
    if (n.output != at || n.inputs.size() != 1) break;
    const bool final = keeps_order(n, g.shape_of(n.inputs[0]));
    if (!final && !may_follow(n)) break;
    if (final) begin = i;
    at = n.inputs[0];
    const auto readers = std::count_if(g.nodes.begin(), g.nodes.end(), [&](const Node& other) {
      return std::find(other.inputs.begin(), other.inputs.end(), at) != other.inputs.end();
    });
    if (readers != 1) break;
  }
  if (begin == g.nodes.size()) return;
  for (std::size_t i = begin; i < g.nodes.size(); ++i) {
    const Node& n = g.nodes[i];
    if (!std::holds_alternative<Reshape>(n.op))
      g.notes.push_back(
          fmt::format("dropped the final {} (node '{}'): the client applies it to the decrypted outputs",
                      name_of(n.op), n.name));
  }
  g.output = g.nodes[begin].inputs[0];
  g.tail.assign(g.nodes.begin() + static_cast<std::ptrdiff_t>(begin), g.nodes.end());
  g.nodes.erase(g.nodes.begin() + static_cast<std::ptrdiff_t>(begin), g.nodes.end());
}

std::vector<double> apply_tail(const Graph& g, std::span<const double> outputs) {
  if (g.tail.empty()) return {outputs.begin(), outputs.end()};
  Graph rest;
  rest.name = g.name;
  rest.input = g.output;
  rest.input_shape = g.shape_of(g.output);
  rest.nodes = g.tail;
  rest.output = g.tail.back().output;
  const auto width = static_cast<std::size_t>(element_count(rest.input_shape));
  const std::vector<float> values(outputs.begin(), outputs.end());
  return execute(rest, values, outputs.size() / width);
}

}  // namespace velum::model
