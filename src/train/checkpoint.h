// Checkpoints: a run can stop after any epoch and go on as if it had not.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "train/activation.h"
#include "train/epoch.h"
#include "train/network.h"
#include "train/options.h"

namespace velum::train {

// Everything that the rest of a run depends on, besides the generator.
struct RunState {
  NetworkImpl& network;
  torch::optim::Optimizer& optimiser;
  std::vector<torch::Tensor>& average;  // state_of() the averaged network; empty without averaging
  std::vector<torch::Tensor>& best;     // of the best network so far; empty while there is none
  std::vector<EpochRecord>& history;
  std::map<std::string, StartCoefficients>& start;  // of the activations, for the report
  // What the run does not change: by name ("images", "teacher", ...), a digest of each (fingerprint.h).
  const std::map<std::string, std::string>& given;
};

// Written atomically. Throws Error(failure) naming the path where that cannot be.
void write_checkpoint(const std::string& path, const RunState& state, const TrainOptions& options);
// False where there is no file. Throws Error(user) where the file is not a checkpoint, one of another
// network, or (unless options.allow_changes) one of other options or given things, naming the first that
// differs.
bool read_checkpoint(const std::string& path, RunState state, const TrainOptions& options);

}  // namespace velum::train
