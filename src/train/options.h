// Everything that decides a training run, as plain data. option_table.h lists the fields with their names.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/onnx.h"
#include "train/activation.h"
#include "train/augment.h"

namespace velum::train {

struct TrainOptions {
  std::string data;  // DATASET, see data/dataset.h
  std::string recipe = "direct";
  std::string network = "cryptonets";
  // An ONNX ReLU network whose polynomial version is trained, or a polynomial one; empty: `network`, by name.
  std::string from;
  ActivationKind activation = ActivationKind::element;
  Start start = Start::fit;
  double width = 1, dropout = 0;
  std::vector<std::int64_t> widths;  // vgg: channels of each block; empty: the network's own
  bool max_pool = false;             // ReLU networks only
  std::int64_t image_size = 0;       // class folders: resized to a square; 0: as the first image
  std::int64_t channels = 0;         // class folders: 1 (grey) or 3 (RGB); 0: as the first image
  bool skip_bad = false;             // class folders: unreadable images are named and left out
  std::string resize = "stretch", exif = "apply";  // of image files: as velum eval has them
  std::string classes;        // FILE of names in the order of the outputs; empty: text order
  std::string output, shape;  // of --from and --teacher: model/onnx.h
  std::string input_range, input_mean, input_std;  // pixels that the network takes: model/pixels.h

  int epochs = 20;
  int batch = 128;
  std::string optimiser = "adam";  // adam (decoupled weight decay) or sgd (Nesterov momentum 0.9)
  double learning_rate = 2e-3;     // at its peak
  std::string schedule =
      "cosine";                // cosine (warm-up over the first twentieth), plateau (halving) or constant
  int plateau_patience = 2;    // epochs without a better validation loss before the rate is halved
  int early_stop = 0;          // epochs without a better validation loss before the run stops; 0: never
  bool keep_best = false;      // of all epochs the network with the best validation accuracy
  double weight_decay = 1e-4;  // of convolution and dense weights only
  double gradient_clip = 5;    // largest norm of the gradient; 0: none
  double label_smoothing = 0;
  std::string products = "float32";  // of convolutions and dense layers: float32 or bfloat16
  bool class_weights = false;        // each class counts the same
  double average = 0;                // of the weights over the steps: what a step keeps of it; 0: none
  std::uint64_t seed = 1;

  // The activations' own.
  double coefficient_rate = 0.2;  // learning rate, times learning_rate
  double coefficient_scale = 1;   // coefficients are this times what the optimiser sees
  double coefficient_decay = 0;   // weight decay
  double coefficient_clip = 0;    // largest norm of their gradient; 0: none
  double coefficients_first = 0;  // part of the epochs in which they alone are trained
  double smoothness = 0;          // penalty on differences between neighbours' coefficients
  CoefficientLimits limits;

  // From a ReLU network.
  bool warm_start = false;         // its weights are where training begins
  int teacher_epochs = 0;          // a ReLU network of the same layers is trained first, so long; 0: none
  double transition = 0;           // part of the epochs over which ReLUs become quadratics; 0: at once
  std::string order = "together";  // all layers together, or layerwise

  std::string teacher;  // an ONNX model of the same input and classes
  double distil_weight = 1, temperature = 4;
  double feature_weight = 0;  // of the distance between the activations' outputs; same layers only

  double range_limit = 4;       // pre-activations beyond it are pulled back
  double range_penalty = 0.5;   // weight of that pull; 0: none
  double range_peak = 0;        // weight of the pull on each image's largest; 0: none
  double ranges_first = 0;      // part of the epochs, the first, with ReLUs whose ranges are pulled in
  double fixed_norms_last = 0;  // part of the epochs, the last, in which batch norms use running statistics
  double margin = 0.25;         // widening of the recorded ranges, of their width on each side

  int quantise_bits = 10;    // of rounded weights, sign included
  double quantise_last = 0;  // part of the epochs, the last, in which weights are rounded; 0: none

  Augmentation augmentation;
  bool all_data = false;       // train on the validation split too: for a final model, after every choice
  int threads = 0;             // 0: all
  std::string device = "cpu";  // or cuda, cuda:1 and so on

  std::string checkpoint;      // written after every epoch, less often where that takes long; empty: none
  bool resume = false;         // from `checkpoint`, if it is there
  bool allow_changes = false;  // resume with other options than the checkpoint's
};

// Throws Error(user) naming the option, its value and what it may be.
void validate(const TrainOptions& options);
// Every option that changes the result, by its name on the command line.
std::map<std::string, std::string> describe(const TrainOptions& options);
// How to read --from and --teacher. Throws Error(user).
model::LoadOptions load_options_of(const TrainOptions& options);
// The limits, widened where the start of the activations lies outside of them.
CoefficientLimits limits_of(const TrainOptions& options);

}  // namespace velum::train
