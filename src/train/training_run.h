// One run of the training loop: a network, from where it starts to where it ends.
#pragma once

#include "train/trainer.h"

namespace velum::train {

struct RunInput {
  const TrainingData& data;
  const TrainOptions& options;
  NetworkSpec spec;          // what is trained
  Network start{nullptr};    // a network of the same layers, whose weights it begins with; or empty
  Network teacher{nullptr};  // in evaluation; or empty
  bool of_teacher = false;   // marks the records
};

// torch's generator and thread count are the caller's.
TrainResult run_training(const RunInput& input, const EpochCallback& on_epoch);

}  // namespace velum::train
