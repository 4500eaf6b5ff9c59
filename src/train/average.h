// The state of a network as a list of tensors, and its exponential average over the steps of a run.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace velum::train {

// Parameters, then buffers, in the module's order; they share memory with the network.
std::vector<torch::Tensor> state_of(const torch::nn::Module& network);
std::vector<torch::Tensor> copy_of(const std::vector<torch::Tensor>& state);
void assign(const std::vector<torch::Tensor>& to, const std::vector<torch::Tensor>& from);
bool all_finite(const std::vector<torch::Tensor>& state);

// average = keep * average + (1 - keep) * state, with keep at most (1 + step) / (10 + step): the first steps
// are forgotten sooner. Whole numbers (counts) are copied.
void update_average(std::vector<torch::Tensor>& average, const std::vector<torch::Tensor>& state, double keep,
                    std::int64_t step);

}  // namespace velum::train
