// The quadratic activation as one pass over memory each way. Written by hand because the activations, not the
// convolutions, would otherwise take most of a step: autograd's own form makes some fifteen passes.
#pragma once

#include <torch/torch.h>

namespace velum::train {

// How pre-activations are kept inside [-limit, limit]: with e = max(|x| - limit, 0),
//   penalty = mean * (mean of e^2 over images and elements) + peak * (mean over images of an image's largest
//   e^2)
// The first holds the many, the second the few that decide how large the encrypted numbers can become: one
// image in a thousand whose elements run away from layer to layer hardly counts in a mean over all elements.
struct RangePull {
  double limit = 0;  // 0: no penalty
  double mean = 1;
  double peak = 0;
  explicit operator bool() const { return limit > 0 && (mean > 0 || peak > 0); }
};

struct ActivationResult {
  torch::Tensor y;
  torch::Tensor penalty;  // scalar; undefined where none was asked for
};

// x: [batch, ...] with E elements an image; a, b, c: [E].
//   y = share (a x^2 + b x + c) + (1 - share) relu(x)
// share is 1 but while ReLUs are being replaced (schedule.h). Differentiable once in x, a, b and c. The
// result does not depend on the number of threads. Tensors elsewhere than on the CPU take quadratic_plainly.
ActivationResult quadratic(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                           const torch::Tensor& c, const RangePull& pull, double share = 1);
// The same from torch's own operations, on whatever device the tensors are.
ActivationResult quadratic_plainly(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                                   const torch::Tensor& c, const RangePull& pull, double share = 1);

}  // namespace velum::train
