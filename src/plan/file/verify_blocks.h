// The invariants of layouts, rotations and weights by block: a part of verify_plan.
#pragma once

#include "plan/plan.h"

namespace velum::plan {

// Throw Error(user) at the first invariant that is broken.
void verify_blocks(const ClientPlan& plan);                   // P, the layouts of inputs and outputs
void verify_rotation(const ServerPlan& plan, const Step& s);  // a step of StepKind::rotation

// The weights by block of a group of a step with so many inputs. Returns the most that they multiply an input
// by, added up.
double verify_periodic(const ClientPlan& plan, const Step& s, const Group& g, std::size_t inputs);

}  // namespace velum::plan
