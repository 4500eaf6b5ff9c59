#include "train/training_run.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "system/progress.h"
#include "train/activation_shares.h"
#include "train/activation_start.h"
#include "train/average.h"
#include "train/batch.h"
#include "train/checkpoint.h"
#include "train/checkpoint_keeper.h"
#include "train/device.h"
#include "train/divergence.h"
#include "train/epoch_validation.h"
#include "train/fingerprint.h"
#include "train/kept_weights.h"
#include "train/learner.h"
#include "train/objective.h"
#include "train/parameter_groups.h"
#include "train/rounding.h"
#include "train/schedule.h"
#include "train/training_step.h"

namespace velum::train {

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Sums over the steps of an epoch, so far.
struct Sums {
  int batch;  // images a step
  double loss = 0, hits = 0;
  std::int64_t steps = 0;

  void add(const StepOutcome& step) {
    loss += step.loss;
    hits += step.hits;
    ++steps;
  }
  double images() const { return static_cast<double>(steps * batch); }
  double mean_loss() const { return loss / static_cast<double>(steps); }
  double accuracy() const { return hits / images(); }
  std::string text() const {
    return fmt::format("loss {:.4f}, accuracy {:.2f} %", mean_loss(), 100 * hits / images());
  }
};

std::int64_t steps_of_epoch(const TrainingData& data, const TrainOptions& o) {
  if (o.batch > data.train.count())
    fail_user("--batch {}: larger than the {} training images of {}; lower it", o.batch, data.train.count(),
              data.name);
  return data.train.count() / o.batch;
}

Network moved(Network network, torch::Device device) {
  if (!network.is_empty()) network->to(device);
  return network;
}

std::map<std::string, std::string> fingerprints_of(const RunInput& in) {
  if (in.options.checkpoint.empty()) return {};
  return {{"images", fingerprint(in.data)},
          {"weights to begin with", fingerprint(in.start)},
          {"teacher", fingerprint(in.teacher)}};
}

// Drives the epochs. Start, step and validation have files of their own; here is their order, which is also
// that of the draws from torch's generator, so that a resumed run repeats one that never stopped.
class Run {
 public:
  explicit Run(const RunInput& in)
      : in_(in),
        data_(in.data),
        o_(in.options),
        limits_(limits_of(o_)),
        device_(find_device(o_.device)),
        products_(parse_products(o_.products)),
        steps_an_epoch_(steps_of_epoch(data_, o_)),
        steps_(steps_an_epoch_ * o_.epochs),
        learner_(make_learner(in.spec, o_, device_)),
        network_(learner_.network),
        teacher_(moved(in.teacher, device_)),
        objective_(data_, o_, network_->spec(), teacher_, learner_.groups, device_, products_),
        given_(fingerprints_of(in)),
        checkpoint_(o_.checkpoint) {}

  TrainResult operator()(const EpochCallback& on_epoch) {
    const bool resumed = o_.resume && read_checkpoint(o_.checkpoint, state(), o_);
    if (resumed) {
      checkpoint_.resumed(history_.size());
    } else {
      set_shares(learner_.activations, o_, 0, steps_);
      notes_ = begin_network(*network_, in_.start, data_.train, o_.start, limits_);
    }
    // Not earlier: reading a checkpoint gives parameters other memory.
    if (o_.quantise_last > 0) rounded_.emplace(*network_, o_.quantise_bits);
    if (o_.average > 0 && kept_.average.empty()) kept_.average = copy_of(state_of(*network_));
    Progress progress(in_.of_teacher ? "training the ReLU network" : "training", static_cast<double>(steps_),
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
  RunState state() {
    return {*network_, *learner_.optimiser, kept_.average, kept_.best, history_, notes_, given_};
  }

  void one_epoch(int epoch, Progress& progress) {
    const auto start = Clock::now();
    network_->train();
    const auto order = torch::randperm(data_.train.count());
    EpochRecord record{.epoch = epoch, .teacher = in_.of_teacher};
    Sums sums{o_.batch};
    for (std::int64_t step = 0; step < steps_an_epoch_; ++step) {
      const auto done = static_cast<std::int64_t>(epoch - 1) * steps_an_epoch_ + step;
      record.learning_rate = o_.learning_rate * rate_factor(o_, done, steps_, history_);
      prepare_step(done, record.learning_rate);
      sums.add(one_step(epoch, done, order.slice(0, step * o_.batch, (step + 1) * o_.batch)));
      progress.set(static_cast<double>(done + 1),
                   fmt::format("epoch {}/{}, {}", epoch, o_.epochs, sums.text()));
    }
    if (!all_finite(state_of(*network_)))
      stop_diverged(*network_, data_.train.images.slice(0, 0, o_.batch), epoch, checkpoint_);
    set_shares(learner_.activations, o_, static_cast<std::int64_t>(epoch) * steps_an_epoch_, steps_);
    record.replaced = mean_share(learner_.activations);
    record.loss = sums.mean_loss();
    record.train_accuracy = sums.accuracy();
    if (data_.validation.count() > 0) {
      validate_epoch(network_, data_.validation, kept_.average, record);
      if (o_.keep_best) keep_if_best(kept_, *network_, record, history_);
    }
    record.seconds = seconds_since(start);
    history_.push_back(record);
  }

  // What changes in the course of the run, for the step after `done` others.
  void prepare_step(std::int64_t done, double rate) {
    set_learning_rates(*learner_.optimiser, learner_.groups, o_, rate,
                       in_first_part(o_.coefficients_first, done, steps_));
    set_shares(learner_.activations, o_, done, steps_);
    if (follows_first_part(o_.ranges_first, done, steps_)) {
      notes_ = restart_activations(*network_, data_.train, o_.start, limits_);
      // An average begins again too: without coefficients of the first start.
      if (o_.average > 0) kept_.average = copy_of(state_of(*network_));
    }
    network_->set_batch_statistics(!in_last_part(o_.fixed_norms_last, done, steps_));
  }

  StepOutcome one_step(int epoch, std::int64_t done, const torch::Tensor& indices) {
    const auto batch = make_batch(data_.train, indices, o_.augmentation, device_);
    const bool rounding = rounded_ && in_last_part(o_.quantise_last, done, steps_);
    const StepParts parts{learner_, objective_, rounding ? &*rounded_ : nullptr};
    const auto outcome = train_step(parts, batch, o_, limits_);
    if (!std::isfinite(outcome.loss)) stop_diverged(*network_, batch.images, epoch, checkpoint_);
    if (o_.average > 0) update_average(kept_.average, state_of(*network_), o_.average, done);
    return outcome;
  }

  TrainResult finished() {
    assign_kept(*network_, kept_, o_.keep_best);
    network_->project_activations(limits_);  // an average may have come too near zero
    set_shares(learner_.activations, o_, steps_, steps_);
    network_->eval();
    network_->to(torch::kCPU);
    moved(teacher_, torch::kCPU);
    TrainResult result{.network = network_, .history = history_, .start = notes_};
    for (const auto& epoch : history_) result.seconds += epoch.seconds;
    if (data_.validation.count() > 0)
      result.validation = evaluate(network_, data_.validation, std::ssize(data_.classes));
    return result;
  }

  const RunInput& in_;
  const TrainingData& data_;
  const TrainOptions& o_;
  CoefficientLimits limits_;
  torch::Device device_;
  Products products_;
  std::int64_t steps_an_epoch_, steps_;
  Learner learner_;
  Network network_;  // the learner's
  Network teacher_;
  Objective objective_;
  std::optional<RoundedWeights> rounded_;
  KeptWeights kept_;
  std::vector<EpochRecord> history_;
  StartNotes notes_;
  std::map<std::string, std::string> given_;  // for the checkpoint
  CheckpointKeeper checkpoint_;
};

}  // namespace

TrainResult run_training(const RunInput& input, const EpochCallback& on_epoch) {
  return Run(input)(on_epoch);
}

}  // namespace velum::train
