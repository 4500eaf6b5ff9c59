#include "cli/report_page.h"

#include <filesystem>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/parallel.h"
#include "base/velum_commit.h"
#include "system/program.h"

namespace velum::cli {

namespace {

// Metadata that is no text for people.
constexpr const char* kInputStatistics = "input statistics";

model::Range range_of(const Range& r, double rms = 0) {
  return {r.low, r.high, rms};
}

}  // namespace

PageInfo begin_page(const std::string& what, const std::string& model, const ModelInfo& info,
                    const data::Dataset& set, const DataOptions& options) {
  PageInfo page;
  const auto file = std::filesystem::path(model).filename().string();
  page.title = fmt::format("{}: {} on {}", what, file, set.name);
  page.subtitle = fmt::format("{} images of {}x{}x{}, {} split, {}", set.count(), set.channels, set.height,
                              set.width, options.split, utc_now());
  page.facts = {{"command", command_line()},
                {"version", VELUM_VERSION},
                {"commit", kCommit},
                {"network", model},
                {"data", set.name + ", " + options.split + " split"},
                {"machine", fmt::format("{}, {} threads", cpu_name(), threads())}};
  for (const auto& [key, value] : info.metadata)
    if (key != kInputStatistics) page.facts.emplace_back("model: " + key, value);
  page.notes = info.notes;
  page.notes.insert(page.notes.end(), set.notes.begin(), set.notes.end());
  return page;
}

report::Report begin_report(const PageInfo& page) {
  report::Report r;
  r.title = page.title;
  r.subtitle = page.subtitle;
  for (const auto& [name, value] : page.facts) r.facts.push_back({name, value});
  r.notes = page.notes;
  return r;
}

void add_plan_facts(report::Report& r, const ClientPlan& plan) {
  const auto p = plan.parameters();
  r.facts.push_back({"ring dimension", std::to_string(p.ring_dimension)});
  r.facts.push_back({"log2(QP)", fmt::format("{:.0f}", p.log2_qp)});
  r.facts.push_back({"security", fmt::format("{} bits", p.security_bits)});
}

std::vector<report::Activation> observed_activations(const Model& model, const data::Dataset& set) {
  std::vector<report::Activation> all;
  for (const auto& a : model.activations(Images::floats(set.images))) {
    report::Activation r{
        a.name, a.relu, a.elements, range_of(a.input, a.input_rms), range_of(a.output, a.output_rms),
        {},     {},     {}};
    if (a.planned) r.planned = range_of(*a.planned);
    for (const auto& u : a.units)
      r.units.push_back({u.element, u.input.low, u.input.high, {u.a, u.b, u.c}, {}});
    all.push_back(std::move(r));
  }
  return all;
}

}  // namespace velum::cli
