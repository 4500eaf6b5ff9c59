#include "train/trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numbers>
#include <thread>

#include "base/error.h"
#include "base/progress.h"
#include "model/onnx.h"
#include "train/checkpoint.h"
#include "train/exchange.h"
#include "train/loss.h"

namespace velum::train {

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr std::int64_t kFitImages = 2048;  // for the activations' least-squares start

// One group a learning rate: weights (decayed), biases and batch norms, activation coefficients.
struct Groups {
  std::vector<torch::Tensor> weights, others, coefficients;
};

Groups group_parameters(NetworkImpl& network) {
  Groups g;
  for (const auto& item : network.named_children())
    for (const auto& parameter : item.value()->named_parameters()) {
      if (item.value()->as<ActivationImpl>())
        g.coefficients.push_back(parameter.value());
      else if (parameter.value().dim() > 1)
        g.weights.push_back(parameter.value());
      else
        g.others.push_back(parameter.value());
    }
  return g;
}

template <typename Optimiser, typename Options>
std::unique_ptr<torch::optim::Optimizer> make_optimiser(const Groups& groups, Options base,
                                                        double weight_decay) {
  std::vector<torch::optim::OptimizerParamGroup> out;
  const auto add = [&](const std::vector<torch::Tensor>& parameters, double decay) {
    if (parameters.empty()) return;
    auto options = base;
    options.weight_decay(decay);
    out.emplace_back(parameters, std::make_unique<Options>(options));
  };
  add(groups.weights, weight_decay);
  add(groups.others, 0);
  add(groups.coefficients, 0);
  return std::make_unique<Optimiser>(out, base);
}

std::unique_ptr<torch::optim::Optimizer> make_optimiser(const Groups& groups, const TrainOptions& o) {
  if (o.optimiser == "sgd")
    return make_optimiser<torch::optim::SGD>(
        groups, torch::optim::SGDOptions(o.learning_rate).momentum(0.9).nesterov(true), o.weight_decay);
  // AdamW's decay is times the learning rate, SGD's times the gradient's size: the same number suits neither
  // alike.
  return make_optimiser<torch::optim::AdamW>(groups, torch::optim::AdamWOptions(o.learning_rate),
                                             o.weight_decay);
}

void set_learning_rate(torch::optim::Optimizer& optimiser, const Groups& groups, double rate,
                       double coefficient_rate) {
  for (auto& group : optimiser.param_groups()) {
    const bool coefficients =
        !groups.coefficients.empty() && group.params().front().is_same(groups.coefficients.front());
    group.options().set_lr(coefficients ? rate * coefficient_rate : rate);
  }
}

Network load_teacher(const std::string& path, const model::Shape& shape, std::int64_t classes) {
  const auto graph = model::load_onnx(path);
  if (graph.input_shape != shape)
    fail_user("--teacher {}: takes images of {}, but the data has {}", path,
              model::to_string(graph.input_shape), model::to_string(shape));
  const auto outputs = model::element_count(graph.shape_of(graph.output));
  if (outputs != classes)
    fail_user("--teacher {}: has {} outputs, but the data has {} classes", path, outputs, classes);
  return from_graph(graph);
}

// The first layer that makes something not finite of this batch, for the message when training diverges.
std::string first_broken_layer(NetworkImpl& network, const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  std::string broken;
  network.run(images, 0, [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
    if (broken.empty() && !torch::isfinite(out).all().item<bool>()) broken = layer.name;
  });
  return broken.empty() ? "the loss itself" : broken;
}

class Run {
 public:
  Run(const TrainingData& data, const TrainOptions& options)
      : data_(data), o_(options), classes_(static_cast<std::int64_t>(data.classes.size())) {
    if (o_.batch > data_.train.count())
      fail_user("--batch {}: larger than the {} training images of {}", o_.batch, data_.train.count(),
                data_.name);
    network_ = Network(
        build_network({o_.network, data_.image_shape, classes_, o_.activation, o_.width, o_.dropout}));
    groups_ = group_parameters(*network_);
    optimiser_ = make_optimiser(groups_, o_);
    if (!o_.teacher.empty()) teacher_ = load_teacher(o_.teacher, data_.image_shape, classes_);
    torch::nn::functional::CrossEntropyFuncOptions loss;
    loss.label_smoothing(o_.label_smoothing);
    if (o_.class_weights) loss.weight(balanced_class_weights(data_.train.labels, classes_));
    cross_entropy_ = loss;
    steps_an_epoch_ = data_.train.count() / o_.batch;
  }

  TrainResult operator()(const EpochCallback& on_epoch) {
    if (!(o_.resume && resume())) {
      network_->train();
      const auto some = torch::randperm(data_.train.count()).slice(0, 0, kFitImages);
      network_->fit_activations(data_.train.images.index_select(0, some), o_.limits);
    }
    Progress progress("training", static_cast<double>(steps_an_epoch_) * o_.epochs);
    for (int epoch = static_cast<int>(history_.size()) + 1; epoch <= o_.epochs; ++epoch) {
      history_.push_back(one_epoch(epoch, progress));
      if (!o_.checkpoint.empty()) write_checkpoint(o_.checkpoint, *network_, *optimiser_, o_, history_);
      if (on_epoch) on_epoch(history_.back());
    }
    network_->eval();
    TrainResult result{network_, history_, std::nullopt, 0};
    for (const auto& epoch : history_) result.seconds += epoch.seconds;
    if (data_.validation.count() > 0) result.validation = evaluate(network_, data_.validation, classes_);
    return result;
  }

 private:
  bool resume() { return read_checkpoint(o_.checkpoint, *network_, *optimiser_, o_, history_); }

  EpochRecord one_epoch(int epoch, Progress& progress) {
    const auto start = Clock::now();
    network_->train();
    const auto order = torch::randperm(data_.train.count());
    double loss_sum = 0, right = 0;
    EpochRecord record;
    record.epoch = epoch;
    for (std::int64_t step = 0; step < steps_an_epoch_; ++step) {
      const auto done = static_cast<std::int64_t>(epoch - 1) * steps_an_epoch_ + step;
      record.learning_rate = o_.learning_rate * schedule(done, steps_an_epoch_ * o_.epochs);
      set_learning_rate(*optimiser_, groups_, record.learning_rate, o_.coefficient_rate);
      const auto [loss, hits] = one_step(order.slice(0, step * o_.batch, (step + 1) * o_.batch), epoch);
      loss_sum += loss;
      right += hits;
      progress.set(static_cast<double>(done + 1),
                   fmt::format("epoch {}/{}, loss {:.4f}, accuracy {:.2f} %", epoch, o_.epochs,
                               loss_sum / static_cast<double>(step + 1),
                               100 * right / static_cast<double>((step + 1) * o_.batch)));
    }
    record.loss = loss_sum / static_cast<double>(steps_an_epoch_);
    record.train_accuracy = right / static_cast<double>(steps_an_epoch_ * o_.batch);
    if (data_.validation.count() > 0) {
      const auto logits = predict(network_, data_.validation.images);
      record.validation_loss =
          torch::nn::functional::cross_entropy(logits, data_.validation.labels).item<double>();
      record.validation_accuracy =
          (logits.argmax(1) == data_.validation.labels).to(torch::kFloat64).mean().item<double>();
    }
    record.seconds = seconds_since(start);
    return record;
  }

  // Loss and number of right predictions.
  std::pair<double, double> one_step(const torch::Tensor& indices, int epoch) {
    auto images = data_.train.images.index_select(0, indices);
    const auto labels = data_.train.labels.index_select(0, indices);
    if (o_.augmentation.any()) images = augment(images, o_.augmentation);
    const auto out = network_->run(images, o_.range_penalty > 0 ? o_.range_limit : 0, nullptr);
    auto loss = torch::nn::functional::cross_entropy(out.logits, labels, cross_entropy_);
    if (!teacher_.is_empty()) {
      torch::Tensor teacher_logits;
      {
        torch::NoGradGuard no_grad;
        teacher_logits = teacher_->forward(images);
      }
      loss = loss + o_.distil_weight * distillation_loss(out.logits, teacher_logits, o_.temperature);
    }
    if (out.penalty.defined()) loss = loss + o_.range_penalty * out.penalty;
    const double value = loss.item<double>();
    if (!std::isfinite(value))
      fail(
          "training diverged in epoch {} at layer {}: its output is not finite; lower --lr or "
          "--coefficient-rate, or raise "
          "--range-penalty{}",
          epoch, first_broken_layer(*network_, images),
          o_.checkpoint.empty() || history_.empty()
              ? ""
              : fmt::format("; {} holds the network after epoch {}", o_.checkpoint, history_.size()));
    optimiser_->zero_grad();
    loss.backward();
    if (o_.gradient_clip > 0) torch::nn::utils::clip_grad_norm_(network_->parameters(), o_.gradient_clip);
    optimiser_->step();
    network_->project_activations(o_.limits);
    const double hits = (out.logits.argmax(1) == labels).sum().item<double>();
    return {value, hits};
  }

  const TrainingData& data_;
  const TrainOptions& o_;
  std::int64_t classes_;
  Network network_{nullptr}, teacher_{nullptr};
  Groups groups_;
  std::unique_ptr<torch::optim::Optimizer> optimiser_;
  torch::nn::functional::CrossEntropyFuncOptions cross_entropy_;
  std::int64_t steps_an_epoch_ = 0;
  std::vector<EpochRecord> history_;
};

}  // namespace

double schedule(std::int64_t step, std::int64_t steps) {
  const double warm_up = std::max(1.0, static_cast<double>(steps) / 20);
  const auto at = static_cast<double>(step);
  if (at < warm_up) return (at + 1) / (warm_up + 1);
  const double part = (at - warm_up) / std::max(1.0, static_cast<double>(steps) - warm_up);
  return 0.5 * (1 + std::cos(std::numbers::pi * std::min(part, 1.0)));
}

torch::Tensor predict(Network& network, const torch::Tensor& images, std::int64_t batch) {
  torch::NoGradGuard no_grad;
  const bool was_training = network->is_training();
  network->eval();
  std::vector<torch::Tensor> parts;
  for (std::int64_t begin = 0; begin < images.size(0); begin += batch)
    parts.push_back(network->forward(images.slice(0, begin, std::min(begin + batch, images.size(0)))));
  network->train(was_training);
  return torch::cat(parts);
}

Metrics evaluate(Network& network, const Samples& samples, std::int64_t classes) {
  const auto logits = predict(network, samples.images).contiguous();
  const auto n = static_cast<std::size_t>(samples.count());
  return measure({logits.data_ptr<float>(), static_cast<std::size_t>(logits.numel())},
                 {samples.labels.data_ptr<std::int64_t>(), n}, classes);
}

TrainResult train(const TrainingData& data, const TrainOptions& options, const EpochCallback& on_epoch) {
  validate(options);
  const int all = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(options.threads > 0 ? options.threads : all);
  at::globalContext().setFlushDenormal(true);
  torch::manual_seed(options.seed);
  return Run(data, options)(on_epoch);
}

}  // namespace velum::train
