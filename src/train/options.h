// Everything that decides a training run, as plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "train/activation.h"
#include "train/augment.h"

namespace velum::train {

struct TrainOptions {
  std::string data;  // DATASET, see data/dataset.h
  std::string network = "cryptonets";
  ActivationKind activation = ActivationKind::element;
  double width = 1, dropout = 0;

  int epochs = 20;
  int batch = 128;
  std::string optimiser = "adam";  // adam (decoupled weight decay) or sgd (Nesterov momentum 0.9)
  double learning_rate = 2e-3;     // peak: linear warm-up over the first twentieth, then a cosine to zero
  double coefficient_rate = 0.2;   // of the activations' coefficients, times learning_rate
  double weight_decay = 1e-4;      // of convolution and dense weights only
  double gradient_clip = 5;        // largest norm of the gradient; 0: none
  double label_smoothing = 0;
  bool class_weights = false;  // each class counts the same
  std::uint64_t seed = 1;

  CoefficientLimits limits;
  double range_limit = 4;      // pre-activations beyond it are pulled back
  double range_penalty = 0.5;  // weight of that pull; 0: none
  double margin = 0.25;        // widening of the recorded ranges, of their width on each side

  std::string teacher;  // an ONNX model of the same input and classes; empty: no distillation
  double distil_weight = 1, temperature = 4;

  Augmentation augmentation;
  bool all_data = false;  // train on the validation split too: for a final model, after every choice
  int threads = 0;        // 0: all

  std::string checkpoint;  // written after every epoch; empty: none
  bool resume = false;     // from `checkpoint`, if it is there
};

// Throws Error(user) naming the option, its value and what it may be.
void validate(const TrainOptions& options);
// Every option that changes the result, by its name on the command line.
std::map<std::string, std::string> describe(const TrainOptions& options);

}  // namespace velum::train
