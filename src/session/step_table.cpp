#include "session/step_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/table.h"
#include "base/units.h"
#include "plan/steps.h"
#include "session/step_rows.h"

namespace velum::session {

namespace {

std::string in_millions(std::uint64_t count) {
  return fmt::format("{:.1f}", static_cast<double>(count) / 1e6);
}

}  // namespace

std::vector<engine::StepReport> rows_of(const engine::RunReport& report) {
  std::vector<engine::StepReport> rows;
  std::vector<std::size_t> steps;
  for (const auto& s : report.steps) {
    const auto row = std::ranges::find_if(rows, [&](const auto& r) {
      return r.name == s.name && r.limbs == s.limbs && r.scale_bits == s.scale_bits;
    });
    const auto at = static_cast<std::size_t>(row - rows.begin());
    if (row == rows.end()) {
      rows.push_back(s);
      steps.push_back(1);
      continue;
    }
    steps[at] += 1;
    row->seconds += s.seconds;
    plan::add(row->cost, s.cost);
    row->outputs += s.outputs;
    const auto keep_lower = [](double& bits, double other) {
      if (other > 0) bits = bits > 0 ? std::min(bits, other) : other;
    };
    keep_lower(row->precision_bits, s.precision_bits);
    keep_lower(row->noise_precision_bits, s.noise_precision_bits);
  }
  for (std::size_t r = 0; r < rows.size(); ++r)
    if (steps[r] > 1) rows[r].name += fmt::format(" x{}", steps[r]);
  return rows;
}

void accumulate(engine::RunReport& total, const engine::RunReport& batch) {
  if (total.steps.empty()) {
    total = batch;
    return;
  }
  for (std::size_t i = 0; i < total.steps.size(); ++i) {
    auto& t = total.steps[i];
    const auto& b = batch.steps[i];
    t.seconds += b.seconds;
    plan::add(t.cost, b.cost);
  }
  total.seconds += batch.seconds;
  total.input_seconds += batch.input_seconds;
  total.peak_bytes_of_values = std::max(total.peak_bytes_of_values, batch.peak_bytes_of_values);
}

std::string layer_table(const engine::RunReport& report) {
  const bool probed = std::ranges::any_of(report.steps, [](const auto& s) { return s.precision_bits > 0; });
  std::vector<std::vector<std::string>> rows = {
      {"layer", "outputs", "level", "scale", "mult-adds/M", "NTTs", "moved", "time"}};
  if (probed) rows[0].insert(rows[0].end(), {"precision", "noise alone"});
  for (const auto& s : rows_of(report)) {
    rows.push_back({s.name, std::to_string(s.outputs), std::to_string(s.limbs),
                    fmt::format("2^{:.1f}", s.scale_bits), in_millions(s.cost.multiply_adds),
                    std::to_string(s.cost.ntts), format_bytes(static_cast<double>(s.cost.bytes)),
                    format_duration(s.seconds)});
    if (probed)
      for (const double bits : {s.precision_bits, s.noise_precision_bits})
        rows.back().push_back(bits > 0 ? fmt::format("{:.1f} bits", bits) : "");  // copies and partial sums
  }
  return format_table(rows) + fmt::format("reading and expanding the inputs, beside the layers: {}\n",
                                          format_duration(report.input_seconds));
}

Json layers_json(const engine::RunReport& report) {
  Json layers = Json::array();
  for (const auto& s : report.steps) {
    Json layer = {{"name", s.name},        {"outputs", s.outputs},
                  {"level", s.limbs},      {"scale_bits", s.scale_bits},
                  {"seconds", s.seconds},  {"multiply_adds", s.cost.multiply_adds},
                  {"ntts", s.cost.ntts},   {"key_products", s.cost.key_products},
                  {"bytes", s.cost.bytes}, {"predicted_seconds_one_thread", s.cost.seconds}};
    if (s.precision_bits > 0) {
      layer["precision_bits"] = s.precision_bits;
      layer["noise_precision_bits"] = s.noise_precision_bits;
    }
    layers.push_back(layer);
  }
  return layers;
}

std::vector<StepReport> public_steps(const engine::RunReport& report) {
  std::vector<StepReport> steps;
  for (const auto& s : report.steps)
    steps.push_back({.name = s.name,
                     .seconds = s.seconds,
                     .predicted_seconds_one_thread = s.cost.seconds,
                     .outputs = s.outputs,
                     .level = s.limbs,
                     .scale_bits = s.scale_bits,
                     .multiply_adds = s.cost.multiply_adds,
                     .ntts = s.cost.ntts,
                     .key_products = s.cost.key_products,
                     .bytes = s.cost.bytes,
                     .precision_bits = s.precision_bits,
                     .noise_precision_bits = s.noise_precision_bits});
  return steps;
}

engine::RunReport private_steps(const EvaluationReport& report) {
  engine::RunReport r;
  r.seconds = report.evaluate_seconds;
  r.input_seconds = report.input_seconds;
  for (const auto& s : report.steps)
    r.steps.push_back(
        {.name = s.name,
         .seconds = s.seconds,
         .cost = {s.multiply_adds, s.ntts, s.key_products, s.bytes, s.predicted_seconds_one_thread},
         .limbs = s.level,
         .scale_bits = s.scale_bits,
         .outputs = s.outputs,
         .precision_bits = s.precision_bits,
         .noise_precision_bits = s.noise_precision_bits});
  return r;
}

}  // namespace velum::session
