// A run's report as a page.
#include <algorithm>

#include "base/error.h"
#include "base/units.h"
#include "report/report.h"
#include "session/evaluation_text.h"
#include "session/step_rows.h"
#include "session/step_table.h"
#include "velum/velum.h"

namespace velum {

namespace {

model::Range range_of(const Range& r, double rms = 0) {
  return {r.low, r.high, rms};
}

report::Activation activation_of(const ActivationInfo& a) {
  report::Activation r;
  r.name = a.name;
  r.relu = a.relu;
  r.elements = a.elements;
  r.input = range_of(a.input, a.input_rms);
  r.output = range_of(a.output, a.output_rms);
  if (a.planned) r.planned = range_of(*a.planned);
  for (const auto& u : a.units)
    r.units.push_back({u.element, u.input.low, u.input.high, {u.a, u.b, u.c}, {}});
  return r;
}

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::string bytes_text(std::uint64_t bytes) {
  return format_bytes(static_cast<double>(bytes));
}

std::vector<report::Headline> headlines(const RunReport& r, bool scored) {
  const auto images = static_cast<double>(r.images);
  const auto& e = r.evaluation;
  std::vector<report::Headline> all;
  if (r.accuracy)
    all.push_back(
        {"Accuracy, encrypted", percent(*r.accuracy), percent(*r.accuracy_clear) + " in the clear"});
  if (scored)
    all.push_back(
        {"Agreement", percent(r.agreement), fmt::format("of {} images, with the clear network", r.images)});
  all.push_back({"Time an image", fmt::format("{:.3g} ms", 1e3 * e.evaluate_seconds / images),
                 fmt::format("{:.3g} ms predicted", 1e3 * e.predicted_seconds / images)});
  all.push_back({"Memory", bytes_text(e.peak_rss_bytes), bytes_text(e.planned_peak_bytes) + " predicted"});
  all.push_back({"Security", fmt::format("{} bits", r.parameters.security_bits),
                 fmt::format("ring dimension {}", r.parameters.ring_dimension)});
  all.push_back({"Precision", fmt::format("{:.1f} bits", r.kept_bits),
                 fmt::format("{:.1f} predicted", r.predicted_bits)});
  return all;
}

}  // namespace

std::string RunReport::to_html(const PageInfo& info) const {
  const std::size_t width = images ? outputs.size() / images : 0;
  const bool scored = unscored_text(form, width).empty();
  report::Report page;
  page.title = info.title;
  page.subtitle = info.subtitle;
  page.notes = info.notes;
  if (!problem.empty()) page.notes.push_back(problem);
  page.headlines = headlines(*this, scored);
  const auto per_image = [&](std::uint64_t bytes) {
    return format_bytes(static_cast<double>(bytes) / static_cast<double>(images)) + " an image";
  };
  page.facts = {
      {"precision", fmt::format("{:.1f} bits of the largest output (largest error {:.2g})", precision_bits,
                                largest_error)},
      {"places", fmt::format("{}, in {} {}", session::slots_text(evaluation), evaluation.batches,
                             evaluation.batches == 1 ? "batch" : "batches")},
      {"evaluation", fmt::format("{}, {} predicted", format_duration(evaluation.evaluate_seconds),
                                 format_duration(evaluation.predicted_seconds))},
      {"other times", fmt::format("keys {}, encrypt {}, decrypt {}", format_duration(keygen_seconds),
                                  format_duration(encrypt_seconds), format_duration(decrypt_seconds))},
      {"input", per_image(evaluation.input_bytes)},
      {"output", per_image(evaluation.output_bytes)},
      {"evaluation keys", bytes_text(evaluation_key_bytes)},
      {"peak memory", fmt::format("{} while evaluating, {} in all", bytes_text(evaluation.peak_rss_bytes),
                                  bytes_text(peak_rss_bytes))},
      {"ring dimension", std::to_string(parameters.ring_dimension)},
      {"log2(QP)", fmt::format("{:.0f}", parameters.log2_qp)},
      {"kernels", kernels}};
  for (const auto& [name, value] : info.facts) page.facts.push_back({name, value});
  if (scored && !labels.empty()) {
    const auto measured = [&](std::span<const double> of) {
      return report::thinned(report::measure(of, width, labels, classes, cut_of(form)));
    };
    page.evaluations = {{"encrypted", measured(outputs)}, {"clear", measured(clear)}};
    page.encrypted_and_clear = true;
  }
  const auto cores = static_cast<double>(std::max(evaluation.threads, 1));
  double predicted_steps = 0;
  for (const auto& s : evaluation.steps) predicted_steps += s.predicted_seconds_one_thread / cores;
  page.steps.push_back({"reading the input",
                        evaluation.input_seconds,
                        std::max(0.0, evaluation.predicted_seconds - predicted_steps),
                        {},
                        {}});
  for (const auto& s : session::rows_of(session::private_steps(evaluation))) {
    page.steps.push_back({s.name, s.seconds, s.cost.seconds / cores, {}, {}});
    if (s.precision_bits > 0) {
      page.steps.back().precision = s.precision_bits;
      page.steps.back().noise_precision = s.noise_precision_bits;
    }
  }
  for (const auto& a : activations) page.activations.push_back(activation_of(a));
  return report::to_html(page);
}

}  // namespace velum
