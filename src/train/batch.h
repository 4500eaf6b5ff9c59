// The images of one step of training, as the network is to see them.
#pragma once

#include <torch/torch.h>

#include "train/augment.h"
#include "train/data.h"

namespace velum::train {

struct Batch {
  torch::Tensor images;  // [N, C, H, W], augmented and mixed, on the device
  torch::Tensor labels;  // [N], on the device
  Mixed mixed;           // without a partner where nothing is mixed
};

// The samples at `indices` ([N] int64). Changes are made on the CPU and drawn from torch's default generator,
// so that every device sees the same images.
Batch make_batch(const Samples& samples, const torch::Tensor& indices, const Augmentation& how,
                 torch::Device device);

}  // namespace velum::train
