// How good a network is after an epoch.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "train/data.h"
#include "train/epoch.h"
#include "train/network.h"

namespace velum::train {

// Enters validation loss and accuracy into the record. With an `average` (of the network's state; may be
// empty) they are those of the averaged network, since that is what the run would give. The network's own
// weights are in place again afterwards.
void validate_epoch(Network& network, const Samples& validation, const std::vector<torch::Tensor>& average,
                    EpochRecord& record);

}  // namespace velum::train
