// The order of the work: steps cut into tasks of some output rows, and what is freed after each.
#pragma once

#include "plan/passes.h"

namespace velum::plan {

struct Schedule {
  std::uint64_t peak_bytes = 0;
  std::uint32_t halvings = 0;      // of the tasks' heights, to fit the memory
  std::uint64_t untiled_peak = 0;  // with the first choice of tasks
};

// Fills plan.tasks (and peak_bytes, workspace, threads). Tasks start as high as is quickest by the rates
// (high ones read fewer inputs again, low ones read wider slices), their panels fit the cache and their
// unfinished results a fixed budget; they are halved until the run fits `limit`. Throws Error(user) with both
// figures where it never does.
Schedule make_schedule(ServerPlan& plan, std::uint64_t limit, int threads, const Rates& rates);

// With tasks of at most heights[step] output rows, demand-driven: a task runs when a later one needs its
// rows.
std::vector<Task> order_tasks(const ServerPlan& plan, const std::vector<std::uint32_t>& heights);

}  // namespace velum::plan
