#include "train/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>

#include "base/error.h"
#include "system/progress.h"
#include "train/average.h"
#include "train/checkpoint.h"
#include "train/checkpoint_keeper.h"
#include "train/device.h"
#include "train/fingerprint.h"
#include "train/gradients.h"
#include "train/objective.h"
#include "train/parameter_groups.h"
#include "train/rounding.h"
#include "train/schedule.h"
#include "train/warm_start.h"

namespace velum::train {

namespace {

namespace F = torch::nn::functional;
using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr std::int64_t kFitImages = 2048;  // for the start of activations and of copied batch norms

// Where something not finite comes up first in this batch, for the message when training diverges.
std::string first_broken_place(NetworkImpl& network, const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  std::string broken;
  network.run(images.to(device_of(network)), {},
              [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
                if (broken.empty() && !torch::isfinite(out).all().item<bool>()) broken = layer.name;
              });
  return broken.empty() ? "in the loss, which is not finite though every layer's output is"
                        : fmt::format("at layer {}, whose output is not finite", broken);
}

class Run {
 public:
  explicit Run(const RunInput& in)
      : data_(in.data),
        o_(in.options),
        classes_(static_cast<std::int64_t>(in.data.classes.size())),
        of_teacher_(in.of_teacher),
        start_(in.start),
        teacher_(in.teacher),
        limits_(limits_of(in.options)),
        device_(find_device(in.options.device)),
        products_(parse_products(in.options.products)),
        checkpoint_(in.options.checkpoint) {
    if (o_.batch > data_.train.count())
      fail_user("--batch {}: larger than the {} training images of {}; lower it", o_.batch,
                data_.train.count(), data_.name);
    network_ = Network(in.spec);  // on the CPU: the same seed draws the same weights everywhere
    network_->to(device_);
    if (!teacher_.is_empty()) teacher_->to(device_);
    activations_ = network_->activations();
    groups_ = group_parameters(*network_);
    optimiser_ = make_optimiser(groups_, o_);
    objective_ =
        std::make_unique<Objective>(data_, o_, network_->spec(), teacher_, groups_, device_, products_);
    steps_an_epoch_ = data_.train.count() / o_.batch;
    steps_ = steps_an_epoch_ * o_.epochs;
    if (!o_.checkpoint.empty())
      given_ = {{"images", fingerprint(data_)},
                {"weights to begin with", fingerprint(start_)},
                {"teacher", fingerprint(teacher_)}};
  }

  TrainResult operator()(const EpochCallback& on_epoch) {
    const bool resumed = o_.resume && read_checkpoint(o_.checkpoint, state(), o_);
    if (resumed)
      checkpoint_.resumed(history_.size());
    else
      begin();
    // Not earlier: reading a checkpoint gives parameters other memory.
    if (o_.quantise_last > 0) rounded_ = std::make_unique<RoundedWeights>(*network_, o_.quantise_bits);
    if (o_.average > 0 && average_.empty()) average_ = copy_of(state_of(*network_));
    Progress progress(of_teacher_ ? "training the ReLU network" : "training", static_cast<double>(steps_),
                      static_cast<double>(history_.size()) * static_cast<double>(steps_an_epoch_));
    for (int epoch = static_cast<int>(history_.size()) + 1; epoch <= o_.epochs; ++epoch) {
      if (has_stalled(history_, o_.early_stop)) break;
      one_epoch(epoch, progress);
      checkpoint_.after_epoch(state(), o_);
      if (on_epoch) on_epoch(history_.back());
    }
    return finished();
  }

 private:
  RunState state() { return {*network_, *optimiser_, average_, best_, history_, at_start_, given_}; }

  torch::Tensor fit_images() const {
    return data_.train.images.index_select(0, torch::randperm(data_.train.count()).slice(0, 0, kFitImages));
  }

  void begin() {
    const auto images = fit_images();
    if (!start_.is_empty()) copy_weights(*network_, start_, images);
    // The activations see what they will see in the first steps: copied batch norms as they are, new ones
    // with the statistics of these images.
    set_shares(0);
    network_->train(start_.is_empty());
    if (!start_.is_empty() && is_polynomial(start_->spec()))
      note_start();  // copied with the weights
    else
      start_activations(images);
  }

  // After --ranges-first: the quadratics start again, on what the tamed ReLUs see.
  void start_again() {
    network_->eval();
    start_activations(fit_images());
    network_->train();
    if (o_.average > 0) average_ = copy_of(state_of(*network_));  // without coefficients of the first start
  }

  void start_activations(const torch::Tensor& images) {
    network_->start_activations(images.to(device_), o_.start, limits_);
    note_start();
  }

  // Of what the report compares the activations with.
  void note_start() {
    for (const auto& item : network_->named_children())
      if (const auto* act = item.value()->as<ActivationImpl>(); act && act->a.defined())
        at_start_[item.key()] = {act->a.detach().cpu().clone(), act->b.detach().cpu().clone(),
                                 act->c.detach().cpu().clone()};
  }

  TrainResult finished() {
    if (o_.keep_best && !best_.empty())
      assign(state_of(*network_), best_);
    else if (!average_.empty())
      assign(state_of(*network_), average_);
    network_->project_activations(limits_);  // an average may have come too near zero
    set_shares(steps_);
    network_->eval();
    network_->to(torch::kCPU);
    if (!teacher_.is_empty()) teacher_->to(torch::kCPU);
    TrainResult result;
    result.network = network_;
    result.history = history_;
    result.start = at_start_;
    for (const auto& epoch : history_) result.seconds += epoch.seconds;
    if (data_.validation.count() > 0) result.validation = evaluate(network_, data_.validation, classes_);
    return result;
  }

  bool ranges_end_at(std::int64_t step) const {
    return step > 0 && in_first_part(o_.ranges_first, step - 1, steps_) &&
           !in_first_part(o_.ranges_first, step, steps_);
  }

  void set_shares(std::int64_t step) {
    const double progress = replacement_progress(o_, step, steps_);
    for (std::size_t i = 0; i < activations_.size(); ++i)
      activations_[i]->set_share(replaced_share(progress, i, activations_.size(), o_.order));
  }

  double mean_share() const {
    double sum = 0;
    for (const auto& act : activations_) sum += act->share();
    return activations_.empty() ? 1 : sum / static_cast<double>(activations_.size());
  }

  void one_epoch(int epoch, Progress& progress) {
    const auto start = Clock::now();
    network_->train();
    const auto order = torch::randperm(data_.train.count());
    double loss_sum = 0, right = 0;
    EpochRecord record;
    record.epoch = epoch;
    record.teacher = of_teacher_;
    for (std::int64_t step = 0; step < steps_an_epoch_; ++step) {
      const auto done = static_cast<std::int64_t>(epoch - 1) * steps_an_epoch_ + step;
      record.learning_rate = o_.learning_rate * rate_factor(o_, done, steps_, history_);
      set_learning_rates(*optimiser_, groups_, o_, record.learning_rate,
                         in_first_part(o_.coefficients_first, done, steps_));
      set_shares(done);
      if (ranges_end_at(done)) start_again();
      network_->set_batch_statistics(!in_last_part(o_.fixed_norms_last, done, steps_));
      const auto [loss, hits] = one_step(order.slice(0, step * o_.batch, (step + 1) * o_.batch), done);
      if (o_.average > 0) update_average(average_, state_of(*network_), o_.average, done);
      loss_sum += loss;
      right += hits;
      progress.set(static_cast<double>(done + 1),
                   fmt::format("epoch {}/{}, loss {:.4f}, accuracy {:.2f} %", epoch, o_.epochs,
                               loss_sum / static_cast<double>(step + 1),
                               100 * right / static_cast<double>((step + 1) * o_.batch)));
    }
    if (!all_finite(state_of(*network_))) stop_diverged(epoch, data_.train.images.slice(0, 0, o_.batch));
    set_shares(static_cast<std::int64_t>(epoch) * steps_an_epoch_);
    record.replaced = mean_share();
    record.loss = loss_sum / static_cast<double>(steps_an_epoch_);
    record.train_accuracy = right / static_cast<double>(steps_an_epoch_ * o_.batch);
    if (data_.validation.count() > 0) validate_epoch(record);
    record.seconds = seconds_since(start);
    history_.push_back(record);
  }

  void validate_epoch(EpochRecord& record) {
    const auto own = state_of(*network_);
    std::vector<torch::Tensor> trained;
    if (!average_.empty()) {  // the network that the run would give
      trained = copy_of(own);
      assign(own, average_);
    }
    const auto logits = predict(network_, data_.validation.images);
    const double loss = F::cross_entropy(logits, data_.validation.labels).item<double>();
    record.validation_loss = std::isfinite(loss) ? loss : std::numeric_limits<double>::infinity();
    record.validation_accuracy =
        (logits.argmax(1) == data_.validation.labels).to(torch::kFloat64).mean().item<double>();
    if (o_.keep_best && record.replaced >= 1) {
      const bool better = std::none_of(history_.begin(), history_.end(), [&](const EpochRecord& e) {
        return e.replaced >= 1 && e.validation_accuracy >= record.validation_accuracy;
      });
      if (better || best_.empty()) best_ = copy_of(own);
    }
    if (!trained.empty()) assign(own, trained);
  }

  [[noreturn]] void stop_diverged(int epoch, const torch::Tensor& images) {
    const auto place = first_broken_place(*network_, images);
    fail("training diverged in epoch {} {}; lower --lr or --coefficient-rate, or raise --range-penalty{}",
         epoch, place,
         checkpoint_.epoch() == 0
             ? "; --checkpoint FILE would keep a network to go on from"
             : fmt::format("; {} holds the network after epoch {}: go on from there with --resume "
                           "--allow-changes",
                           o_.checkpoint, checkpoint_.epoch()));
  }

  // Loss and number of right predictions.
  std::pair<double, double> one_step(const torch::Tensor& indices, std::int64_t step) {
    auto images = data_.train.images.index_select(0, indices);
    const auto labels = data_.train.labels.index_select(0, indices).to(device_);
    if (o_.augmentation.any()) images = augment(images, o_.augmentation);
    Mixed mixed;
    if (o_.augmentation.mixup > 0) {
      mixed = mix_pairs(images, o_.augmentation.mixup);
      images = mixed.images;
    }
    images = images.to(device_);
    const bool rounding = rounded_ && in_last_part(o_.quantise_last, step, steps_);
    if (rounding) rounded_->apply();
    const auto [loss, logits] = (*objective_)(*network_, images, labels, mixed);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) stop_diverged(static_cast<int>(step / steps_an_epoch_) + 1, images);
    drop_gradients(network_->parameters());
    loss.backward();
    if (rounding) rounded_->restore();
    clip_gradients(groups_.coefficients, o_.coefficient_clip);
    clip_gradients(network_->parameters(), o_.gradient_clip);
    optimiser_->step();
    network_->project_activations(limits_);
    const double hits = (logits.argmax(1) == labels).sum().item<double>();
    return {value, hits};
  }

  const TrainingData& data_;
  const TrainOptions& o_;
  std::int64_t classes_;
  bool of_teacher_;
  Network network_{nullptr}, start_, teacher_;
  CoefficientLimits limits_;
  torch::Device device_;
  Products products_;
  std::vector<Activation> activations_;  // from the input on
  ParameterGroups groups_;
  std::unique_ptr<torch::optim::Optimizer> optimiser_;
  std::unique_ptr<Objective> objective_;
  std::int64_t steps_an_epoch_ = 0, steps_ = 0;
  std::unique_ptr<RoundedWeights> rounded_;
  std::vector<torch::Tensor> average_, best_;
  std::vector<EpochRecord> history_;
  std::map<std::string, StartCoefficients> at_start_;
  std::map<std::string, std::string> given_;  // for the checkpoint
  CheckpointKeeper checkpoint_;
};

}  // namespace

TrainResult run_training(const RunInput& input, const EpochCallback& on_epoch) {
  return Run(input)(on_epoch);
}

}  // namespace velum::train
