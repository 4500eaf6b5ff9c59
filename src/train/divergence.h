// What is said when training diverges.
#pragma once

#include <torch/torch.h>

#include "train/checkpoint_keeper.h"
#include "train/network.h"

namespace velum::train {

// Throws Error(failure) naming the layer whose output for these images ([N, C, H, W]) is the first that is
// not finite, since the loss alone would not say where to look, and the network that the checkpoint holds.
[[noreturn]] void stop_diverged(NetworkImpl& network, const torch::Tensor& images, int epoch,
                                const CheckpointKeeper& checkpoint);

}  // namespace velum::train
