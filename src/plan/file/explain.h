// Why the plan is as it is: one line for each choice, with what the runner-up would have cost.
#pragma once

#include "plan/choose/parameters.h"
#include "plan/schedule/schedule.h"

namespace velum::plan {

std::vector<Choice> explain_choices(const ServerPlan& plan, const std::vector<PackedStage>& stages,
                                    const Levels& levels, const ParameterSearch& search,
                                    const Schedule& schedule, const Request& request);

}  // namespace velum::plan
