// How far the ReLUs of a network are replaced by their quadratics at some point of a run.
#pragma once

#include <cstdint>
#include <vector>

#include "train/activation.h"
#include "train/options.h"

namespace velum::train {

// Activations from the input on: replacement layer by layer goes by their order.
void set_shares(std::vector<Activation>& activations, const TrainOptions& options, std::int64_t step,
                std::int64_t steps);
// 1 where there are none.
double mean_share(const std::vector<Activation>& activations);

}  // namespace velum::train
