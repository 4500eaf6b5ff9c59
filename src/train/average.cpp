#include "train/average.h"

#include <algorithm>

namespace velum::train {

std::vector<torch::Tensor> state_of(const torch::nn::Module& network) {
  auto out = network.parameters();
  for (auto& buffer : network.buffers()) out.push_back(std::move(buffer));
  for (auto& t : out) t = t.detach();
  return out;
}

std::vector<torch::Tensor> copy_of(const std::vector<torch::Tensor>& state) {
  std::vector<torch::Tensor> out;
  for (const auto& t : state) out.push_back(t.clone());
  return out;
}

void assign(const std::vector<torch::Tensor>& to, const std::vector<torch::Tensor>& from) {
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from.at(i));
}

bool all_finite(const std::vector<torch::Tensor>& state) {
  return std::all_of(state.begin(), state.end(),
                     [](const torch::Tensor& t) { return torch::isfinite(t).all().item<bool>(); });
}

void update_average(std::vector<torch::Tensor>& average, const std::vector<torch::Tensor>& state, double keep,
                    std::int64_t step) {
  torch::NoGradGuard no_grad;
  const auto at = static_cast<double>(step);
  keep = std::min(keep, (1 + at) / (10 + at));
  for (std::size_t i = 0; i < state.size(); ++i)
    if (state[i].is_floating_point())
      average.at(i).lerp_(state[i], 1 - keep);
    else
      average.at(i).copy_(state[i]);
}

}  // namespace velum::train
