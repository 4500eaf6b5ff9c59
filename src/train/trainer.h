// The training loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/data.h"
#include "train/metrics.h"
#include "train/network.h"
#include "train/options.h"

namespace velum::train {

struct EpochRecord {
  int epoch = 0;                                           // from 1
  double learning_rate = 0, loss = 0, train_accuracy = 0;  // over the epoch, on augmented images
  double validation_accuracy = -1, validation_loss = -1;   // negative where there is no validation split
  double seconds = 0;
};

struct TrainResult {
  Network network{nullptr};
  std::vector<EpochRecord> history;
  std::optional<Metrics> validation;
  double seconds = 0;  // of all epochs, those before a resume included
};

// Called after every epoch with its record.
using EpochCallback = std::function<void(const EpochRecord&)>;

// Trains a network as the options say. Sets torch's thread count and default generator, so that the same
// options, data and thread count give the same network. Throws Error(user) for options that do not fit the
// data or the teacher, and Error(failure) naming the layer where training diverges; with a checkpoint, the
// message names it.
TrainResult train(const TrainingData& data, const TrainOptions& options,
                  const EpochCallback& on_epoch = nullptr);

// Logits of the network in evaluation, batch by batch: [N, classes].
torch::Tensor predict(Network& network, const torch::Tensor& images, std::int64_t batch = 500);
Metrics evaluate(Network& network, const Samples& samples, std::int64_t classes);

// Learning rate of step `step` of `steps` as a factor of the peak: linear warm-up over the first twentieth,
// cosine to 0.
double schedule(std::int64_t step, std::int64_t steps);

}  // namespace velum::train
