// Training with rounded weights: a step sees the weights that the encrypted engine would use, and the
// optimiser changes the real ones (the gradient passes through the rounding as if it were not there).
//
// The engine rounds a layer's weights with everything folded in that is affine: the batch norm after it and
// the curvature of the quadratics before it (plan/quantise.h). One factor a layer makes the largest of them
// 2^(bits - 1) - 1, so the weight w[o][k] is rounded to multiples of
//   step / (|norm scale of o| |a of k|),  step = max |norm scale * w * a| / (2^(bits - 1) - 1).
// For convolutions a is the root mean square over a channel's positions; the planner chooses bits itself, so
// this is the engine's rounding up to a factor near 1.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "train/network.h"

namespace velum::train {

class RoundedWeights {
 public:
  RoundedWeights(const NetworkImpl& network, int bits);
  // Puts rounded weights into the network; restore() puts the real ones back, before the optimiser's step.
  void apply();
  void restore();

 private:
  struct Layer {
    torch::Tensor weight, norm_scale, norm_variance;  // norm_*: undefined without batch norm
    torch::Tensor curvature;                          // of the quadratics it reads; undefined for none
    torch::Tensor real;                               // while rounded weights are in place
  };
  int bits_;
  std::vector<Layer> layers_;
};

// w rounded as above. rows: factor of each output; columns: of each input channel (or element); both > 0.
torch::Tensor rounded(const torch::Tensor& weight, const torch::Tensor& rows, const torch::Tensor& columns,
                      int bits);

}  // namespace velum::train
