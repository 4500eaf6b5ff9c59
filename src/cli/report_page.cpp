#include "cli/report_page.h"

#include <filesystem>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/parallel.h"
#include "ckks/core/parameters.h"
#include "model/input_statistics.h"
#include "report/activations.h"

namespace velum::cli {

namespace {

constexpr std::size_t kObservedUnits = 4;

}  // namespace

report::Report begin_report(const std::string& what, const std::string& model, const model::Graph& graph,
                            const data::Dataset& set, const DataOptions& options) {
  report::Report r;
  const auto file = std::filesystem::path(model).filename().string();
  r.title = fmt::format("{}: {} on {}", what, file, set.name);
  r.subtitle = fmt::format("{} images of {}x{}x{}, {} split, {}", set.count(), set.channels, set.height,
                           set.width, options.split, utc_now());
  r.facts = {{"network", model},
             {"data", set.name + ", " + options.split + " split"},
             {"machine", cpu_name()},
             {"threads", std::to_string(threads())}};
  for (const auto& [key, value] : graph.metadata)
    if (key != model::kInputStatistics) r.facts.push_back({"model: " + key, value});
  r.notes = graph.notes;
  r.notes.insert(r.notes.end(), set.notes.begin(), set.notes.end());
  return r;
}

void add_plan_facts(report::Report& r, const plan::ServerPlan& plan) {
  const ckks::Parameters params(plan.client.params);
  r.facts.push_back({"ring dimension", std::to_string(params.n())});
  r.facts.push_back({"log2(QP)", fmt::format("{:.0f}", params.log2_qp())});
  r.facts.push_back({"security", fmt::format("{} bits", static_cast<int>(params.literal().security))});
}

std::vector<report::Activation> observed_activations(const model::Graph& graph, const data::Dataset& set) {
  const auto count = report::images_to_observe(set.count(), set.elements());
  return report::observe_activations(graph, std::span(set.images).first(count * set.elements()), count,
                                     kObservedUnits);
}

}  // namespace velum::cli
