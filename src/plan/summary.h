// What one asks of a plan first, in a few lines for people.
#pragma once

#include <string>

#include "plan/plan.h"

namespace velum::plan {

// `images`: that a job brings; 0: a full batch.
std::string summary_text(const ServerPlan& plan, std::uint64_t images);

}  // namespace velum::plan
