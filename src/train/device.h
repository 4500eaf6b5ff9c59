// Where a network is trained.
#pragma once

#include <torch/torch.h>

#include <string>

namespace velum::train {

// "cpu", "cuda" or "cuda:K"; "xpu" too, where this program has such a device. Throws Error(user) for another
// name, and where this libtorch was built without CUDA or the machine has no such device.
torch::Device find_device(const std::string& name);
// Of the network's parameters; the CPU where it has none.
torch::Device device_of(const torch::nn::Module& network);

}  // namespace velum::train
