#include "train/training_step.h"

#include <cmath>

#include "train/gradients.h"

namespace velum::train {

StepOutcome train_step(const StepParts& parts, const Batch& batch, const TrainOptions& options,
                       const CoefficientLimits& limits) {
  auto& network = *parts.learner.network;
  if (parts.rounded) parts.rounded->apply();
  const auto [loss, logits] = parts.objective(network, batch.images, batch.labels, batch.mixed);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) return {value, 0};
  drop_gradients(network.parameters());
  loss.backward();
  if (parts.rounded) parts.rounded->restore();
  clip_gradients(parts.learner.groups.coefficients, options.coefficient_clip);
  clip_gradients(network.parameters(), options.gradient_clip);
  parts.learner.optimiser->step();
  network.project_activations(limits);
  return {value, (logits.argmax(1) == batch.labels).sum().item<double>()};
}

}  // namespace velum::train
