// A network and what trains it.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "train/activation.h"
#include "train/network.h"
#include "train/options.h"
#include "train/parameter_groups.h"

namespace velum::train {

// Activations, groups and optimiser are of the network's own parameters.
struct Learner {
  Network network{nullptr};
  std::vector<Activation> activations;  // the network's, from the input on
  ParameterGroups groups;
  std::unique_ptr<torch::optim::Optimizer> optimiser;
};

// Parameters are drawn from torch's default generator on the CPU, whatever the device: the same seed draws
// the same weights everywhere.
Learner make_learner(const NetworkSpec& spec, const TrainOptions& options, torch::Device device);

}  // namespace velum::train
