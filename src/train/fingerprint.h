// Short digests that tell whether two runs have the same images or begin with the same network.
#pragma once

#include <string>

#include "train/data.h"
#include "train/network.h"

namespace velum::train {

// Of the images and labels that are trained on and chosen by: "3,217 training and 690 validation images,
// 0f3a...".
std::string fingerprint(const TrainingData& data);
// Of parameters and buffers; "none" for no network.
std::string fingerprint(const Network& network);

}  // namespace velum::train
