#include "cli/output_rule.h"

#include <CLI/CLI.hpp>

#include "base/error.h"

namespace velum::cli {

void add_threshold_option(CLI::App& app, std::optional<double>& threshold) {
  app.add_option(
         "--threshold", threshold,
         "Networks of one output: the second class is above it; default: 0.5 of a probability, else 0")
      ->type_name("T");
}

void settle_outputs(Taken& taken, const Model& model, std::optional<double> threshold,
                    std::span<const double> seen) {
  const auto settled = model.form(threshold, seen);
  if (taken.outputs == 1) taken.form.outputs = settled.outputs;
  taken.form.threshold = settled.threshold;
}

std::string rule_text(const Taken& taken) {
  const auto& form = taken.form;
  if (taken.outputs != 1 || form.outputs == OutputKind::map) return {};
  const auto* what = form.outputs == OutputKind::logit         ? "its sigmoid, a probability,"
                     : form.outputs == OutputKind::probability ? "it, a probability,"
                                                               : "it";
  return fmt::format("one output: the second class where {} is above {:g} (--threshold)", what,
                     form.threshold);
}

std::string unscored_text(const Taken& taken) {
  return velum::unscored_text(taken.form, taken.outputs);
}

std::string chance_note(const report::Metrics& m) {
  constexpr std::size_t kEnough = 50;
  const auto classes = static_cast<double>(m.classes.size());
  if (m.images < kEnough || m.accuracy > 1.5 / classes) return {};
  return fmt::format(
      "right for {:.1f} % of {} images of {} classes, hardly more than by chance: look at the preprocessing "
      "that the "
      "network wants (--input-range, --input-mean, --input-std; velum inspect says what is assumed) and at "
      "the order of "
      "its classes (--classes)",
      100 * m.accuracy, m.images, m.classes.size());
}

}  // namespace velum::cli
