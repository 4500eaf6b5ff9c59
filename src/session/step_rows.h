// The rows of a table of steps for people.
#pragma once

#include <vector>

#include "engine/engine.h"

namespace velum::session {

// Steps of one name, level and scale are one row ("conv2.partial x63"): a layer in blocks has dozens of
// partial sums.
std::vector<engine::StepReport> rows_of(const engine::RunReport& report);

}  // namespace velum::session
