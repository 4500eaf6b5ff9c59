// Data sets as tensors.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "data/dataset.h"
#include "model/graph.h"
#include "train/options.h"

namespace velum::train {

struct Samples {
  torch::Tensor images;  // [N, C, H, W] float
  torch::Tensor labels;  // [N] int64
  std::int64_t count() const { return images.defined() ? images.size(0) : 0; }
};

struct TrainingData {
  Samples train, validation, test;  // validation is empty where its images went to train
  std::vector<std::string> classes;
  model::Shape image_shape;  // {C, H, W}
  std::string name;
  std::vector<std::string> notes;  // images that were left out, and why
};

// Throws Error(user) where labels are missing, or outside of the set's classes (naming the image).
Samples to_samples(const data::Dataset& set);
Samples concatenated(const Samples& first, const Samples& second);
// Reads options.data. With options.all_data the validation images join the training images. Throws
// Error(user) also for a set that is not divided into training, validation and test images, and for a class
// without any training image.
// `with_test`: the test images too; else they may be missing.
TrainingData load_training_data(const TrainOptions& options, bool with_test = true);

}  // namespace velum::train
