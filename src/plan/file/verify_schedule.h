// What the schedule promises: every element is computed before it is read, and no more memory is taken than
// is stated. A part of verify_plan.
#pragma once

#include "plan/plan.h"

namespace velum::plan {

// Throw Error(user) at the first promise that is broken. The plan's values, steps and tasks are well formed.
void verify_reads(const ServerPlan& plan);
void verify_memory(const ServerPlan& plan);

}  // namespace velum::plan
