#include "train/loss.h"

namespace velum::train {

torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                double temperature) {
  const auto log_student = torch::log_softmax(student / temperature, 1);
  const auto log_teacher = torch::log_softmax(teacher / temperature, 1);
  const auto divergence = (log_teacher.exp() * (log_teacher - log_student)).sum(1).mean();
  return divergence * (temperature * temperature);
}

torch::Tensor balanced_class_weights(const torch::Tensor& labels, std::int64_t classes) {
  const auto counts = torch::bincount(labels, {}, classes).to(torch::kFloat32).clamp_min(1);
  return static_cast<double>(labels.numel()) / (static_cast<double>(classes) * counts);
}

}  // namespace velum::train
