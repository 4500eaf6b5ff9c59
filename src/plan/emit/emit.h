// The plan's values and steps, from the stages and the parameters chosen for them.
#pragma once

#include "plan/choose/parameters.h"

namespace velum::plan {

struct Emitted {
  ServerPlan plan;                // everything but the schedule, memory and costs
  std::vector<Meaning> meanings;  // of its values
};
Emitted emit_plan(const model::Graph& graph, const Network& network, const std::vector<PackedStage>& stages,
                  const Levels& levels, const Parameters& parameters);

}  // namespace velum::plan
