// A plan on plain numbers beside the clear network.
#pragma once

#include "plan/networks.h"

namespace velum::plan::testing {

// Largest difference over the output bound, of some random images.
double worst_difference(NetworkBuilder& b, const model::Graph& g, const ServerPlan& plan);

// Weight rounding alone is left: as small as the plan predicts, with room for the largest of many; for the
// outputs, and for every element of every value that stands for one of the model's.
void expect_faithful(NetworkBuilder& b, const Request& request = fixed_request());

}  // namespace velum::plan::testing
