// How good a network's logits are: report/metrics.h on the trainer's types.
#pragma once

#include <cstdint>
#include <span>

#include "report/metrics.h"

namespace velum::train {

using report::Metrics;

// logits: [labels.size()][classes]
Metrics measure(std::span<const float> logits, std::span<const std::int64_t> labels, std::int64_t classes);

}  // namespace velum::train
