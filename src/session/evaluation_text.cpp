#include "session/evaluation_text.h"

#include <fmt/format.h>

#include "base/units.h"

namespace velum::session {

std::string said(const std::string& name, const std::string& value) {
  return fmt::format("{:<12} {}\n", name, value);
}

std::string time_text(const EvaluationReport& r) {
  const auto images = static_cast<double>(r.images);
  return fmt::format("{:.3f} ms an image, {:.3f} predicted: {} for {} {}, {} predicted, with {} {}",
                     1e3 * r.evaluate_seconds / images, 1e3 * r.predicted_seconds / images,
                     format_duration(r.evaluate_seconds), r.batches, r.batches == 1 ? "batch" : "batches",
                     format_duration(r.predicted_seconds), r.threads, r.threads == 1 ? "thread" : "threads");
}

// Memory that a process touches for the first time is slow: a server that keeps it is faster from its second
// batch.
std::string places_text(const EvaluationReport& r) {
  return fmt::format("{} of {} for images used{}", r.images, r.batches * r.images_per_batch,
                     r.batches == 1 ? "; a first run, which touches new memory" : "");
}

std::string traffic_text(const EvaluationReport& r) {
  const auto images = static_cast<double>(r.images);
  return fmt::format("{} an image to send, {} to get back",
                     format_bytes(static_cast<double>(r.input_bytes) / images),
                     format_bytes(static_cast<double>(r.output_bytes) / images));
}

}  // namespace velum::session
