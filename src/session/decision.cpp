#include "session/decision.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "report/metrics.h"

namespace velum {

namespace {

// More classes need matrices of counts that no machine holds, and no table shows.
constexpr std::size_t kMostClasses = 8192;
double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

void set_checked(DataForm& form, double threshold) {
  const bool probability = form.outputs == OutputKind::logit;
  if (!std::isfinite(threshold) || (probability && !(threshold > 0 && threshold < 1)))
    fail_user("--threshold {}: expected a {}", threshold,
              probability ? "probability between 0 and 1" : "number");
  form.threshold = threshold;
}

}  // namespace

namespace session {

DataForm public_form(const plan::DataForm& form) {
  return {form.low,
          form.high,
          form.range_stated,
          form.channels_last,
          static_cast<Fitting>(form.fitting),
          form.as_they_lie,
          static_cast<OutputKind>(form.outputs),
          form.threshold,
          form.classes};
}

plan::DataForm private_form(const DataForm& form) {
  plan::DataForm p;
  p.low = form.low;
  p.high = form.high;
  p.range_stated = form.range_stated;
  p.channels_last = form.channels_last;
  p.fitting = static_cast<plan::Fitting>(form.fitting);
  p.as_they_lie = form.as_they_lie;
  p.outputs = static_cast<plan::OutputKind>(form.outputs);
  p.threshold = form.threshold;
  p.classes = form.classes;
  return p;
}

}  // namespace session

void set_threshold(DataForm& form, std::size_t outputs, std::optional<double> threshold) {
  if (!threshold) return;
  if (outputs != 1 || form.outputs == OutputKind::map)
    fail_user("--threshold {}: cuts a single output, the network has {}; leave it out", *threshold, outputs);
  set_checked(form, *threshold);
}

double cut_of(const DataForm& form) {
  if (form.outputs != OutputKind::logit) return form.threshold;
  return std::log(form.threshold / (1 - form.threshold));
}

std::string unscored_text(const DataForm& form, std::size_t outputs) {
  if (form.outputs == OutputKind::map)
    return fmt::format(
        "the network gives a map of {} numbers for an image, not a score a class: nothing is scored",
        outputs);
  if (outputs > kMostClasses)
    return fmt::format(
        "the network gives {} numbers for an image, more than a classifier has classes ({}): nothing is "
        "scored",
        outputs, kMostClasses);
  return {};
}

std::vector<Prediction> decide(const DataForm& form, std::size_t outputs, std::span<const double> values) {
  const auto width = outputs;
  const double cut = cut_of(form);
  std::vector<Prediction> all(values.size() / width);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto row = values.subspan(i * width, width);
    auto& d = all[i];
    d.predicted = report::predicted_class(row, cut);
    if (width == 1) {
      const double second =
          form.outputs == OutputKind::probability ? std::clamp(row[0], 0.0, 1.0) : sigmoid(row[0]);
      d.probability = d.predicted == 1 ? second : 1 - second;
      continue;
    }
    const double best = row[static_cast<std::size_t>(d.predicted)];
    double sum = 0;
    for (const double x : row) sum += std::exp(x - best);
    d.probability = 1 / sum;
  }
  return all;
}

}  // namespace velum
