// Checkpoints: a run can stop after any epoch and go on as if it had not.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "train/network.h"
#include "train/options.h"
#include "train/trainer.h"

namespace velum::train {

// Parameters, optimiser, random generator and history, written atomically.
void write_checkpoint(const std::string& path, NetworkImpl& network, torch::optim::Optimizer& optimiser,
                      const TrainOptions& options, const std::vector<EpochRecord>& history);
// False where there is no file. Throws Error(user) where the file is not a checkpoint, or one of other
// options (naming the first that differs).
bool read_checkpoint(const std::string& path, NetworkImpl& network, torch::optim::Optimizer& optimiser,
                     const TrainOptions& options, std::vector<EpochRecord>& history);

}  // namespace velum::train
