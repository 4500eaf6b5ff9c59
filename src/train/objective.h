// What a step of the training loop minimises: the loss by the labels, and what the teacher, the activations'
// ranges and neighbouring coefficients add to it.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "train/affine_layers.h"
#include "train/augment.h"
#include "train/data.h"
#include "train/network.h"
#include "train/options.h"
#include "train/parameter_groups.h"

namespace velum::train {

class Objective {
 public:
  // `groups` are the student's, and outlive this. Without a teacher (empty) there is no distillation. Throws
  // Error(user) where activations are to be compared one by one and the teacher has other layers.
  Objective(const TrainingData& data, const TrainOptions& options, const NetworkSpec& student,
            Network teacher, const ParameterGroups& groups, torch::Device device, Products products);

  struct Value {
    torch::Tensor loss;    // a number, with its graph
    torch::Tensor logits;  // [N, classes]
  };
  // Of a batch: images [N, C, H, W] as they are given to the student, labels [N], both on the device.
  Value operator()(NetworkImpl& student, const torch::Tensor& images, const torch::Tensor& labels,
                   const Mixed& mixed);

 private:
  void match_features(const NetworkSpec& student);
  torch::Tensor label_loss(const torch::Tensor& logits, const torch::Tensor& labels,
                           const Mixed& mixed) const;
  // Adds what the teacher's outputs and activations ask for.
  torch::Tensor with_teacher(torch::Tensor loss, const torch::Tensor& logits,
                             const std::vector<torch::Tensor>& features, const torch::Tensor& images);

  const TrainOptions& o_;
  Network teacher_;
  const ParameterGroups& groups_;
  Products products_;
  torch::nn::functional::CrossEntropyFuncOptions cross_entropy_;
  std::vector<std::string> student_features_, teacher_features_;  // layers whose outputs are compared
};

}  // namespace velum::train
