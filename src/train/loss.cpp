#include "train/loss.h"

namespace velum::train {

torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                double temperature) {
  const auto log_student = torch::log_softmax(student / temperature, 1);
  const auto log_teacher = torch::log_softmax(teacher / temperature, 1);
  const auto divergence = (log_teacher.exp() * (log_teacher - log_student)).sum(1).mean();
  return divergence * (temperature * temperature);
}

torch::Tensor feature_loss(const std::vector<torch::Tensor>& student,
                           const std::vector<torch::Tensor>& teacher) {
  constexpr double least = 1e-8;  // a feature map of zeros has no scale
  torch::Tensor sum;
  for (std::size_t i = 0; i < student.size(); ++i) {
    const auto one =
        (student[i] - teacher.at(i)).square().mean() / teacher[i].square().mean().clamp_min(least);
    sum = sum.defined() ? sum + one : one;
  }
  return sum.defined() ? sum / static_cast<double>(student.size()) : torch::zeros({});
}

torch::Tensor neighbour_difference(const torch::Tensor& t) {
  auto sum = torch::zeros({});
  if (t.dim() != 3) return sum;
  for (const std::int64_t axis : {1, 2})
    if (t.size(axis) > 1) sum = sum + torch::diff(t, 1, axis).square().mean();
  return sum;
}

torch::Tensor balanced_class_weights(const torch::Tensor& labels, std::int64_t classes) {
  const auto counts = torch::bincount(labels, {}, classes).to(torch::kFloat32).clamp_min(1);
  return static_cast<double>(labels.numel()) / (static_cast<double>(classes) * counts);
}

}  // namespace velum::train
