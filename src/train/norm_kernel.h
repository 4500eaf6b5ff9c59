// Batch normalisation while training, on the CPU: each channel is read once while it stays in the cache.
// Written by hand because torch's own takes as long as the convolution before it where feature maps are
// large.
#pragma once

#include <torch/torch.h>

namespace velum::train {

// As layer.forward(x), x: [N, C, H, W]; running statistics and count of batches included. Differentiable
// once. The result does not depend on the number of threads. What this does not do (a layer that is not
// training or lacks parameters, tensors elsewhere than on the CPU or not of float, a single value a channel)
// torch does.
torch::Tensor batch_norm(torch::nn::BatchNorm2dImpl& layer, const torch::Tensor& x);

}  // namespace velum::train
