// Gradients between the backward pass and the optimiser's step.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace velum::train {

// Scales gradients down to a norm of at most `largest`, over all of them; <= 0: leaves them.
void clip_gradients(const std::vector<torch::Tensor>& parameters, double largest);
// Gradients that are dropped, and not set to zero, need not be added to.
void drop_gradients(const std::vector<torch::Tensor>& parameters);

}  // namespace velum::train
