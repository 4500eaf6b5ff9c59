// A plan on plain numbers: every step with its integer weights, lifts and scales, no encryption.
#pragma once

#include <span>
#include <vector>

#include "kernels/types.h"
#include "plan/plan.h"

namespace velum::plan::testing {

// Outputs of one image (row-major elements), in the network's order, tasks in the order of the schedule.
// Values that the schedule has not produced yet are NaN.
std::vector<double> interpret(const ServerPlan& plan, std::span<const float> image);

// Every value of the plan, [ciphertext][block], rows kept where the schedule frees them. A rotation goes
// round within the image, as in a ring that holds one.
std::vector<std::vector<double>> interpret_values(const ServerPlan& plan, std::span<const float> image);

}  // namespace velum::plan::testing
