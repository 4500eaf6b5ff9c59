// The quadratic activation as one pass over memory each way. Written by hand because the activations, not the
// convolutions, would otherwise take most of a step: autograd's own form makes some fifteen passes.
#pragma once

#include <torch/torch.h>

namespace velum::train {

struct ActivationResult {
  torch::Tensor y;
  torch::Tensor penalty;  // scalar; undefined where none was asked for
};

// x: [batch, ...] with E elements an image; a, b, c: [E].
//   y = share (a x^2 + b x + c) + (1 - share) relu(x)
// share is 1 but while ReLUs are being replaced (replacement.h). With limit > 0, penalty = mean of max(|x| -
// limit, 0)^2: it keeps pre-activations inside [-limit, limit]. Differentiable once in x, a, b and c. The
// result does not depend on the number of threads. Tensors elsewhere than on the CPU take quadratic_plainly.
ActivationResult quadratic(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                           const torch::Tensor& c, double limit, double share = 1);
// The same from torch's own operations, on whatever device the tensors are.
ActivationResult quadratic_plainly(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                                   const torch::Tensor& c, double limit, double share = 1);

}  // namespace velum::train
