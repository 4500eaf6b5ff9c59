// Convolutions and dense layers as torch runs them.
#pragma once

#include <torch/torch.h>

#include <string>

#include "base/cpu.h"
#include "train/network_spec.h"

namespace velum::train {

// How convolutions and dense layers multiply. bfloat16 rounds their inputs, weights and results to 8 bits,
// which processors with such instructions (AVX-512 BF16, AMX) do faster; sums and everything between the
// layers stay float. For training steps: what is measured or exported comes from float32.
enum class Products { float32, bfloat16 };
Products parse_products(const std::string& name);  // throws Error(user) with the names there are
// Why a training on this processor should not multiply so, and what to do; empty where it may.
std::string slow_products(Products products, const CpuFeatures& cpu);

// x with rows and columns of `value` around its images.
torch::Tensor padded(const torch::Tensor& x, std::int64_t top, std::int64_t left, std::int64_t bottom,
                     std::int64_t right, double value);

torch::nn::Conv2d make_convolution(const ConvolutionSpec& spec, std::int64_t channels);
// x: [N, C, H, W], padded as `spec` says.
torch::Tensor convolve(const torch::nn::Conv2dImpl& layer, const ConvolutionSpec& spec,
                       const torch::Tensor& x, Products products);
// x: [N, features].
torch::Tensor dense(const torch::nn::LinearImpl& layer, const torch::Tensor& x, Products products);

}  // namespace velum::train
