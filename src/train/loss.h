// What training minimises.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace velum::train {

// Hinton et al. 2015: T^2 KL(softmax(teacher / T) || softmax(student / T)), mean over the batch. The factor
// keeps the gradient's size independent of the temperature T.
torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                double temperature);

// Mean over the pairs of mean (student - teacher)^2 / mean teacher^2: every feature map counts the same,
// whatever its size and scale.
torch::Tensor feature_loss(const std::vector<torch::Tensor>& student,
                           const std::vector<torch::Tensor>& teacher);

// Mean squared difference between the coefficients of horizontal and of vertical neighbours; coefficients are
// {C, H, W}. Zero for other shapes.
torch::Tensor neighbour_difference(const torch::Tensor& coefficients);

// weight of class k = count / (classes * count of class k): each class counts the same in the mean.
torch::Tensor balanced_class_weights(const torch::Tensor& labels, std::int64_t classes);

}  // namespace velum::train
