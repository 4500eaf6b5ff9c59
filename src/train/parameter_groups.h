// A network's parameters by the way they are optimised.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "train/network.h"
#include "train/options.h"

namespace velum::train {

struct ParameterGroups {
  std::vector<torch::Tensor> weights;       // of convolutions and dense layers: decayed
  std::vector<torch::Tensor> others;        // biases, batch norms
  std::vector<torch::Tensor> coefficients;  // of the activations: a rate and a decay of their own
};
ParameterGroups group_parameters(const NetworkImpl& network);

std::unique_ptr<torch::optim::Optimizer> make_optimiser(const ParameterGroups& groups, const TrainOptions& o);

// `rate` for the weights and what belongs to them (0 while coefficients are trained alone).
void set_learning_rates(torch::optim::Optimizer& optimiser, const ParameterGroups& groups,
                        const TrainOptions& o, double rate, bool coefficients_alone);

}  // namespace velum::train
