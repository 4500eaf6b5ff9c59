// What composing pools with the layers that follow would cost, counted without doing it.
#pragma once

#include <cstdint>

#include "plan/lower/network.h"

namespace velum::plan {

// Weights (output times input) of all stages of a network whose pools of squares are stages of their own
// (lower with keep_sums): as it is, and with every such pool composed into its readers. An element that reads
// three by three sums of three by three squares each reads up to 49 squares then.
struct WeightCount {
  std::uint64_t kept = 0, composed = 0;
};
WeightCount count_weights(const Network& network);

}  // namespace velum::plan
