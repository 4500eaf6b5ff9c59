#include "train/learner.h"

namespace velum::train {

Learner make_learner(const NetworkSpec& spec, const TrainOptions& options, torch::Device device) {
  Learner learner{.network = Network(spec), .activations = {}, .groups = {}, .optimiser = nullptr};
  learner.network->to(device);
  learner.activations = learner.network->activations();
  learner.groups = group_parameters(*learner.network);
  learner.optimiser = make_optimiser(learner.groups, options);
  return learner;
}

}  // namespace velum::train
