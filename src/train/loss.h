// What training minimises.
#pragma once

#include <torch/torch.h>

namespace velum::train {

// Hinton et al. 2015: T^2 KL(softmax(teacher / T) || softmax(student / T)), mean over the batch. The factor
// keeps the gradient's size independent of the temperature T.
torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                double temperature);

// weight of class k = count / (classes * count of class k): each class counts the same in the mean.
torch::Tensor balanced_class_weights(const torch::Tensor& labels, std::int64_t classes);

}  // namespace velum::train
