#include "plan/lower/sums.h"

#include <algorithm>
#include <cmath>

namespace velum::plan {

namespace {

constexpr double kSteps = 8;  // for the weights of squares at the smallest factor, which are not +-1

std::vector<const model::Node*> readers(const model::Graph& graph, const std::string& tensor) {
  std::vector<const model::Node*> found;
  for (const auto& node : graph.nodes)
    if (std::find(node.inputs.begin(), node.inputs.end(), tensor) != node.inputs.end())
      found.push_back(&node);
  return found;
}

bool is_pool(const model::Node& node) {
  return std::holds_alternative<model::AveragePool>(node.op) ||
         std::holds_alternative<model::GlobalAveragePool>(node.op);
}

// Whether only convolutions and dense layers mix the tensor's elements.
bool feeds_products(const model::Graph& graph, const std::string& tensor) {
  const auto all = readers(graph, tensor);
  if (all.empty() || tensor == graph.output) return false;
  return std::all_of(all.begin(), all.end(), [&](const model::Node* node) {
    if (std::holds_alternative<model::Dense>(node->op)) return true;
    if (const auto* c = std::get_if<model::Convolution>(&node->op)) return c->outputs > 2 * c->groups;
    const bool relabels = std::holds_alternative<model::Reshape>(node->op) ||
                          std::holds_alternative<model::Transpose>(node->op) ||
                          std::holds_alternative<model::Pad>(node->op) ||
                          std::holds_alternative<model::ScaleShift>(node->op);
    return relabels && feeds_products(graph, node->output);
  });
}

}  // namespace

const model::Node* pool_of_sums(const model::Graph& graph, const model::Node& quadratic) {
  const auto all = readers(graph, quadratic.output);
  if (all.size() != 1 || !is_pool(*all[0]) || quadratic.output == graph.output) return nullptr;
  if (readers(graph, quadratic.inputs[0]).size() != 1) return nullptr;
  return feeds_products(graph, all[0]->output) ? all[0] : nullptr;
}

bool any_pool_of_sums(const model::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const model::Node& node) {
    return std::holds_alternative<model::Quadratic>(node.op) && pool_of_sums(graph, node);
  });
}

bool pool_before_products(const model::Graph& graph, const model::Node& node) {
  return is_pool(node) && feeds_products(graph, node.output);
}

bool any_pool_before_products(const model::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const model::Node& node) { return pool_before_products(graph, node); });
}

EvenSquares even_squares(const FoldedQuadratic& f) {
  const std::size_t n = f.square.size();
  EvenSquares e;
  double sum = 0;
  std::size_t squares = 0;
  for (const double a : f.square) {
    sum += std::fabs(a);
    squares += a != 0 ? 1 : 0;
  }
  if (squares) e.unit_value = sum / static_cast<double>(squares);
  for (std::size_t i = 0; i < n; ++i) {
    const double a = f.square[i] / e.unit_value;
    double factor = a == 0 ? 1 : std::sqrt(std::fabs(a));
    if (a != 0 && f.plain[i] != 0 && factor < kSmallestFactor) {
      factor = kSmallestFactor;
      e.steps = kSteps;
    }
    e.factor.push_back(factor);
    e.square.push_back(a == 0 ? 0 : a / (factor * factor));
    e.plain.push_back(f.plain[i] / (e.unit_value * factor));
    e.constant.push_back(f.constant[i] / e.unit_value);
  }
  return e;
}

}  // namespace velum::plan
