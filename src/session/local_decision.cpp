#include "session/local_decision.h"

#include <algorithm>

#include "model/class_names.h"
#include "session/decision.h"

namespace velum::session {

namespace {

// What files record was widened by so much where nobody said otherwise.
constexpr double kUsualMargin = 0.25;

bool in_unit(double low, double high) {
  constexpr double kRounding = 1e-6;
  return low >= -kRounding && high <= 1 + kRounding;
}

bool ends_in_sigmoid(const model::Graph& graph) {
  return std::ranges::any_of(graph.tail, [](const model::Node& n) {
    const auto* f = std::get_if<model::Function>(&n.op);
    return f && f->op == "Sigmoid";
  });
}

bool is_probability(const model::Graph& graph, double margin, std::span<const double> seen) {
  if (const auto found = graph.ranges.find(graph.output); found != graph.ranges.end()) {
    const auto& r = found->second;
    const double widened = margin * (r.high - r.low) / (1 + 2 * margin);
    return in_unit(r.low + widened, r.high - widened);
  }
  return seen.size() > 1 && std::ranges::all_of(seen, [](double x) { return in_unit(x, x); });
}

// Outputs as classes: one output tells two apart.
std::size_t class_count(std::size_t outputs) {
  return std::max<std::size_t>(outputs, 2);
}

}  // namespace

DataForm form_of(const model::Graph& graph) {
  DataForm form;
  const auto& p = graph.pixels;
  // Arrays of floats from 0 to 1 are no integers, so that nobody can mean them otherwise.
  const bool integers = p.origin == model::Pixels::Origin::integers;
  form.low = integers ? 0 : p.low;
  form.high = integers ? 1 : p.high;
  form.range_stated =
      p.origin == model::Pixels::Origin::stated || p.origin == model::Pixels::Origin::recorded;
  form.channels_last = graph.channels_last;
  const auto& out = graph.shape_of(graph.output);
  if (out.size() == 3 && out[1] * out[2] > 1) form.outputs = OutputKind::map;
  const auto outputs = static_cast<std::size_t>(model::element_count(out));
  if (auto names = model::class_names(graph); names.size() == class_count(outputs))
    form.classes = std::move(names);
  return form;
}

void settle_outputs(DataForm& form, std::size_t outputs, const model::Graph& graph, double margin,
                    std::optional<double> threshold, std::span<const double> seen) {
  if (outputs == 1 && form.outputs != OutputKind::map) {
    form.outputs = ends_in_sigmoid(graph) ? OutputKind::logit
                   : is_probability(graph, margin >= 0 ? margin : kUsualMargin, seen)
                       ? OutputKind::probability
                       : OutputKind::scores;
    form.threshold = form.outputs == OutputKind::scores ? 0 : 0.5;
  }
  set_threshold(form, outputs, threshold);
}

}  // namespace velum::session
