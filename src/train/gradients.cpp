#include "train/gradients.h"

namespace velum::train {

void clip_gradients(const std::vector<torch::Tensor>& parameters, double largest) {
  if (largest <= 0) return;
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> norms;
  for (const auto& p : parameters)
    if (p.grad().defined()) norms.push_back(p.grad().norm());
  if (norms.empty()) return;
  const double factor = largest / (torch::stack(norms).norm().item<double>() + 1e-6);
  if (!(factor < 1)) return;  // most steps need only look
  for (const auto& p : parameters)
    if (p.grad().defined()) p.grad().mul_(factor);
}

void drop_gradients(const std::vector<torch::Tensor>& parameters) {
  for (const auto& p : parameters) p.mutable_grad().reset();
}

}  // namespace velum::train
