// The plan's values and steps, from the stages and the parameters chosen for them.
#pragma once

#include "plan/parameters.h"

namespace velum::plan {

// Everything but the schedule, memory and costs.
ServerPlan emit_plan(const model::Graph& graph, const Network& network,
                     const std::vector<PackedStage>& stages, const Levels& levels,
                     const Parameters& parameters);

}  // namespace velum::plan
