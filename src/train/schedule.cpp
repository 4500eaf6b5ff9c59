#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace velum::train {

namespace {

double loss_of(const EpochRecord& e) {
  return e.validation_loss >= 0 ? e.validation_loss : e.loss;
}

}  // namespace

double schedule(std::int64_t step, std::int64_t steps) {
  const double warm_up = std::max(1.0, static_cast<double>(steps) / 20);
  const auto at = static_cast<double>(step);
  if (at < warm_up) return (at + 1) / (warm_up + 1);
  const double part = (at - warm_up) / std::max(1.0, static_cast<double>(steps) - warm_up);
  return 0.5 * (1 + std::cos(std::numbers::pi * std::min(part, 1.0)));
}

double plateau_factor(const std::vector<EpochRecord>& history, int patience) {
  double best = std::numeric_limits<double>::infinity(), factor = 1;
  int waited = 0;
  for (const auto& e : history) {
    if (e.replaced < 1) continue;
    if (loss_of(e) < best) {
      best = loss_of(e);
      waited = 0;
    } else if (++waited > patience) {
      factor /= 2;
      waited = 0;
    }
  }
  return factor;
}

double rate_factor(const TrainOptions& o, std::int64_t step, std::int64_t steps,
                   const std::vector<EpochRecord>& history) {
  if (o.schedule == "cosine") return schedule(step, steps);
  return o.schedule == "plateau" ? plateau_factor(history, o.plateau_patience) : 1;
}

bool has_stalled(const std::vector<EpochRecord>& history, int patience) {
  double best = std::numeric_limits<double>::infinity();
  int waited = 0;
  for (const auto& e : history) {
    if (e.replaced < 1) continue;
    if (loss_of(e) < best) {
      best = loss_of(e);
      waited = 0;
    } else {
      ++waited;
    }
  }
  return patience > 0 && waited >= patience;
}

double replaced_share(double progress, std::size_t layer, std::size_t layers, const std::string& order) {
  if (order == "layerwise") progress = progress * static_cast<double>(layers) - static_cast<double>(layer);
  return std::clamp(progress, 0.0, 1.0);
}

double replacement_progress(const TrainOptions& o, std::int64_t step, std::int64_t steps) {
  const double length = o.transition * static_cast<double>(steps);
  if (in_first_part(o.ranges_first, step, steps)) return 0;
  const double since = static_cast<double>(step) - o.ranges_first * static_cast<double>(steps);
  return length > 0 ? std::min(1.0, since / length) : 1;
}

bool in_first_part(double part, std::int64_t step, std::int64_t steps) {
  return static_cast<double>(step) < part * static_cast<double>(steps);
}

bool in_last_part(double part, std::int64_t step, std::int64_t steps) {
  return static_cast<double>(steps - step) <= part * static_cast<double>(steps);
}

bool follows_first_part(double part, std::int64_t step, std::int64_t steps) {
  return step > 0 && in_first_part(part, step - 1, steps) && !in_first_part(part, step, steps);
}

}  // namespace velum::train
