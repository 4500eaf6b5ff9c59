#include "session/evaluation_text.h"

#include <fmt/format.h>

#include <algorithm>

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

// With blocks an image takes several slots of a ciphertext.
std::string slots_text(const EvaluationReport& r) {
  const auto each = r.slots / std::max<std::size_t>(r.images_per_batch, 1);
  return fmt::format("{} of {} slots used{}", format_count(r.images * each),
                     format_count(r.batches * r.slots),
                     each > 1 ? fmt::format(", {} an image", format_count(each)) : "");
}

// Memory that a process touches for the first time is slow: a server that keeps it is faster from its second
// call.
std::string places_text(const EvaluationReport& r) {
  return slots_text(r) + (r.first_run ? "; a first run, which touches new memory" : "");
}

std::string traffic_text(const EvaluationReport& r) {
  const auto images = static_cast<double>(r.images);
  return fmt::format("{} an image to send, {} to get back",
                     format_bytes(static_cast<double>(r.input_bytes) / images),
                     format_bytes(static_cast<double>(r.output_bytes) / images));
}

}  // namespace velum::session
