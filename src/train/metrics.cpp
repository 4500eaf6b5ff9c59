#include "train/metrics.h"

#include <vector>

namespace velum::train {

Metrics measure(std::span<const float> logits, std::span<const std::int64_t> labels, std::int64_t classes) {
  const std::vector<double> outputs(logits.begin(), logits.end());
  std::vector<std::int32_t> narrow;
  narrow.reserve(labels.size());
  for (const auto label : labels) narrow.push_back(static_cast<std::int32_t>(label));
  return report::measure(outputs, static_cast<std::size_t>(classes), narrow, {});
}

}  // namespace velum::train
