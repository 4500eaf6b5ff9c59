// The built-in digits, few enough for a test, and runs on them.
#pragma once

#include <string>

#include "train/trainer.h"

namespace velum::train {

TrainingData digits(std::size_t train_images);
const TrainingData& small_data();  // 1,000 training images
TrainOptions small_options();      // three epochs of them
TrainOptions small_options(const std::string& recipe);

std::string scratch(const std::string& name);  // a path where nothing is
// Parameters and buffers, bit for bit.
bool same_network(NetworkImpl& l, NetworkImpl& r);

}  // namespace velum::train
