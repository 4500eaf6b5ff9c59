#include "train/objective.h"

#include <algorithm>

#include "base/error.h"
#include "train/loss.h"
#include "train/warm_start.h"

namespace velum::train {

namespace {

namespace F = torch::nn::functional;

// The outputs of the named layers are appended as they are made.
NetworkImpl::Observer collecting(const std::vector<std::string>& names, std::vector<torch::Tensor>& into) {
  if (names.empty()) return nullptr;
  return [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
    if (std::find(names.begin(), names.end(), layer.name) != names.end()) into.push_back(out);
  };
}

}  // namespace

Objective::Objective(const TrainingData& data, const TrainOptions& options, const NetworkSpec& student,
                     Network teacher, const ParameterGroups& groups, torch::Device device, Products products)
    : o_(options), teacher_(std::move(teacher)), groups_(groups), products_(products) {
  cross_entropy_.label_smoothing(o_.label_smoothing);
  if (o_.class_weights) {
    const auto classes = static_cast<std::int64_t>(data.classes.size());
    cross_entropy_.weight(balanced_class_weights(data.train.labels, classes).to(device));
  }
  if (o_.feature_weight > 0 && !teacher_.is_empty()) match_features(student);
}

// Pairs of activations, the teacher's by name.
void Objective::match_features(const NetworkSpec& student) {
  const auto match = matching_layers(student, teacher_->spec());
  if (!match)
    fail_user(
        "--feature-weight {}: compares activations one by one, but the teacher {} has other layers than "
        "{}; use a teacher of the same layers, or --feature-weight 0",
        o_.feature_weight, teacher_->spec().name, student.name);
  for (const auto& layer : student.layers)
    if (std::holds_alternative<ActivationSpec>(layer.op)) {
      student_features_.push_back(restored_output(student, layer.name));
      teacher_features_.push_back(restored_output(teacher_->spec(), match->at(layer.name)));
    }
}

torch::Tensor Objective::label_loss(const torch::Tensor& logits, const torch::Tensor& labels,
                                    const Mixed& mixed) const {
  auto loss = F::cross_entropy(logits, labels, cross_entropy_);
  if (!mixed.partner.defined()) return loss;
  const auto other = labels.index_select(0, mixed.partner.to(labels.device()));
  return mixed.part * loss + (1 - mixed.part) * F::cross_entropy(logits, other, cross_entropy_);
}

torch::Tensor Objective::with_teacher(torch::Tensor loss, const torch::Tensor& logits,
                                      const std::vector<torch::Tensor>& features,
                                      const torch::Tensor& images) {
  std::vector<torch::Tensor> wanted;
  torch::Tensor taught;
  {
    torch::NoGradGuard no_grad;
    taught = teacher_->run(images, {}, collecting(teacher_features_, wanted), products_).logits;
  }
  if (o_.distil_weight > 0)
    loss = loss + o_.distil_weight * distillation_loss(logits, taught, o_.temperature);
  if (!wanted.empty()) loss = loss + o_.feature_weight * feature_loss(features, wanted);
  return loss;
}

Objective::Value Objective::operator()(NetworkImpl& student, const torch::Tensor& images,
                                       const torch::Tensor& labels, const Mixed& mixed) {
  std::vector<torch::Tensor> features;
  const auto out = student.run(images, {o_.range_limit, o_.range_penalty, o_.range_peak},
                               collecting(student_features_, features), products_);
  auto loss = label_loss(out.logits, labels, mixed);
  if (!teacher_.is_empty() && (o_.distil_weight > 0 || !teacher_features_.empty()))
    loss = with_teacher(loss, out.logits, features, images);
  if (out.penalty.defined()) loss = loss + out.penalty;
  if (o_.smoothness > 0)
    for (const auto& c : groups_.coefficients) loss = loss + o_.smoothness * neighbour_difference(c);
  return {loss, out.logits};
}

}  // namespace velum::train
