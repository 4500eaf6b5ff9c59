// Training as the options say: the ReLU network where a recipe begins with one, then the network itself.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "train/data.h"
#include "train/epoch.h"
#include "train/metrics.h"
#include "train/network.h"
#include "train/options.h"
#include "train/schedule.h"

namespace velum::train {

struct TrainResult {
  model::Pixels pixels;  // that the network's layers take behind what makes them of images
  Network network{nullptr};
  Network teacher{nullptr};  // who distilled, or the ReLU network that it began with; may be empty
  std::vector<EpochRecord> history, teacher_history;
  // Of each activation layer, the coefficients that training began with.
  std::map<std::string, StartCoefficients> start;
  std::optional<Metrics> validation;
  double seconds = 0;  // of all epochs, the ReLU network's and those before a resume included
};

// Called after every epoch with its record.
using EpochCallback = std::function<void(const EpochRecord&)>;

// Trains a network as the options say. Sets torch's thread count and default generator, so that the same
// options, data and thread count give the same network. Throws Error(user) for options that do not fit the
// data or the teacher, and Error(failure) naming the layer where training diverges; with a checkpoint, the
// message names it. A ReLU network trained on the way has the checkpoint teacher_checkpoint(options).
TrainResult train(const TrainingData& data, const TrainOptions& options,
                  const EpochCallback& on_epoch = nullptr);
std::string teacher_checkpoint(const TrainOptions& options);  // empty where there is no checkpoint

// Logits of the network in evaluation, batch by batch: [N, classes].
torch::Tensor predict(Network& network, const torch::Tensor& images, std::int64_t batch = 500);
Metrics evaluate(Network& network, const Samples& samples, std::int64_t classes);

}  // namespace velum::train
