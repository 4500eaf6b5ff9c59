#include "plan/lower/ranges.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <variant>

#include "base/error.h"

namespace velum::plan {

double magnitude(const model::Range& r) {
  return std::max(std::fabs(r.low), std::fabs(r.high));
}

const model::Range& required_range(const model::Graph& graph, const std::string& tensor,
                                   const std::string& node) {
  const auto it = graph.ranges.find(tensor);
  if (it == graph.ranges.end())
    fail_user(
        "tensor '{}', input of '{}', has no recorded range, and a square overflows silently beyond its "
        "range; measure it "
        "with --calibrate DATASET, or train with 'velum train', which records it",
        tensor, node);
  const auto& r = it->second;
  if (!std::isfinite(r.low) || !std::isfinite(r.high) || r.low > r.high)
    fail_user(
        "range of tensor '{}' is [{}, {}]: expected finite numbers, low <= high; measure it again with "
        "--calibrate DATASET",
        tensor, r.low, r.high);
  return r;
}

void require_ranges(const model::Graph& graph) {
  std::set<std::string> read = {graph.output};
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node)
    if (read.count(node->output)) read.insert(node->inputs.begin(), node->inputs.end());
  for (const auto& node : graph.nodes) {
    if (!read.count(node.output)) continue;
    if (std::holds_alternative<model::Multiply>(node.op))
      for (const auto& tensor : node.inputs) required_range(graph, tensor, node.name);
    const auto* q = std::get_if<model::Quadratic>(&node.op);
    if (q && std::ranges::any_of(q->a.values, [](float a) { return a != 0; }))
      required_range(graph, node.inputs[0], node.name);
  }
}

Size shifted_size(const model::Range& r, const std::vector<double>& shift) {
  // The recorded rms where there is one; else that of a bell curve whose range is three deviations.
  const double rms = r.rms > 0 ? r.rms : magnitude(r) / 3;
  Size size;
  double squares = 0;
  for (const double s : shift) {
    size.bound = std::max({size.bound, std::fabs(r.low + s), std::fabs(r.high + s)});
    squares += rms * rms + s * s;
  }
  if (size.bound <= 0) size.bound = 1;
  size.rms =
      std::min(size.bound, std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, shift.size()))));
  if (size.rms <= 0) size.rms = size.bound;
  return size;
}

Size worst_case(const Network& network, const Expression& e) {
  Size size;
  double squares = 0;
  RangeFinder finder(network.columns);
  for (std::size_t i = 0; i < e.rows.size(); ++i) {
    double bound = std::fabs(e.bias[i]), variance = e.bias[i] * e.bias[i];
    const auto support = network.supports[e.rows[i].support];
    const float* w = e.weights.data() + e.rows[i].weights;
    for (std::size_t c = 0; c < support.size(); ++c) {
      const auto& range = finder.range_of(support[c]);
      const auto& v = network.vectors[range.vector];
      const bool square = range.kind == SourceKind::square;
      const double weight = std::fabs(static_cast<double>(w[c]));
      bound += weight * (square ? v.bound * v.bound : v.bound);
      const double typical = weight * (square ? v.rms * v.rms : v.rms);
      variance += typical * typical;
    }
    size.bound = std::max(size.bound, bound);
    squares += variance;
  }
  if (size.bound <= 0) size.bound = 1;
  size.rms =
      std::min(size.bound, std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, e.rows.size()))));
  if (size.rms <= 0) size.rms = size.bound;
  return size;
}

}  // namespace velum::plan
