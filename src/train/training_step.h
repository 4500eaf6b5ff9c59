// One step of the optimiser.
#pragma once

#include <torch/torch.h>

#include "train/activation.h"
#include "train/batch.h"
#include "train/learner.h"
#include "train/objective.h"
#include "train/options.h"
#include "train/rounding.h"

namespace velum::train {

// What a step works on, all of it the run's.
struct StepParts {
  Learner& learner;
  Objective& objective;
  RoundedWeights* rounded;  // the learner's; null where the step sees the real weights
};

struct StepOutcome {
  double loss;
  double hits;  // number of right predictions, before the weights change
};

// Clips gradients as the options say, and leaves the activations within the limits. A loss that is not finite
// is returned before anything is learnt from it, with the weights that it was computed with still in place
// (rounded ones too), so that the caller can look for where it comes from.
StepOutcome train_step(const StepParts& parts, const Batch& batch, const TrainOptions& options,
                       const CoefficientLimits& limits);

}  // namespace velum::train
