#include "train/affine_layers.h"

#include <fmt/format.h>

#include "base/error.h"

namespace velum::train {

namespace {

torch::Tensor low(const torch::Tensor& t) {
  return t.defined() ? t.to(torch::kBFloat16) : t;
}

}  // namespace

Products parse_products(const std::string& name) {
  if (name == "float32") return Products::float32;
  if (name == "bfloat16") return Products::bfloat16;
  fail_user("products \"{}\": unknown; choose float32 or bfloat16", name);
}

std::string slow_products(Products products, const CpuFeatures& cpu) {
  if (products == Products::float32 || cpu.avx512_bf16) return {};
  return fmt::format(
      "this processor has no bfloat16 products (AVX-512 BF16){}; train with --products float32",
      cpu.avx512 ? ": no gain is to be had from them" : " and no AVX-512: epochs take many times longer");
}

torch::Tensor padded(const torch::Tensor& x, std::int64_t top, std::int64_t left, std::int64_t bottom,
                     std::int64_t right, double value) {
  if (top == 0 && left == 0 && bottom == 0 && right == 0) return x;
  namespace F = torch::nn::functional;
  return F::pad(x, F::PadFuncOptions({left, right, top, bottom}).value(value));
}

torch::nn::Conv2d make_convolution(const ConvolutionSpec& s, std::int64_t channels) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, s.outputs, {s.kernel_h, s.kernel_w})
                               .stride({s.stride_h, s.stride_w})
                               .dilation({s.dilation_h, s.dilation_w})
                               .groups(s.groups)
                               .bias(s.bias));
}

torch::Tensor convolve(const torch::nn::Conv2dImpl& layer, const ConvolutionSpec& s, const torch::Tensor& x,
                       Products products) {
  // The convolution pads by itself where both sides want the same: no copy of the images is made.
  const bool even = s.pad_top == s.pad_bottom && s.pad_left == s.pad_right;
  const auto in = even ? x : padded(x, s.pad_top, s.pad_left, s.pad_bottom, s.pad_right, 0);
  const std::vector<std::int64_t> stride{s.stride_h, s.stride_w}, dilation{s.dilation_h, s.dilation_w},
      pad{even ? s.pad_top : 0, even ? s.pad_left : 0};
  if (products == Products::float32)
    return torch::conv2d(in, layer.weight, layer.bias, stride, pad, dilation, s.groups);
  return torch::conv2d(low(in), low(layer.weight), low(layer.bias), stride, pad, dilation, s.groups)
      .to(torch::kFloat32);
}

torch::Tensor dense(const torch::nn::LinearImpl& layer, const torch::Tensor& x, Products products) {
  if (products == Products::float32) return torch::linear(x, layer.weight, layer.bias);
  return torch::linear(low(x), low(layer.weight), low(layer.bias)).to(torch::kFloat32);
}

}  // namespace velum::train
