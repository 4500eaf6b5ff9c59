// Adam with decoupled weight decay (Loshchilov and Hutter 2019), each parameter in one pass over memory.
#pragma once

#include <torch/torch.h>

namespace velum::train {

// The same step and the same checkpoints as torch's own AdamW, which makes a pass for each operation, with
// temporaries of each tensor's size: much of a step where dense layers hold tens of millions of weights.
// Written by hand for that reason alone; parameters that are not plain float tensors on the CPU take torch's
// way. The result does not depend on the number of threads.
class FusedAdamW : public torch::optim::AdamW {
 public:
  using torch::optim::AdamW::AdamW;
  torch::Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace velum::train
