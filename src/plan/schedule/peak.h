// Peak memory of an encrypted run, followed task by task.
#pragma once

#include "plan/plan.h"
#include "plan/schedule/memory.h"

namespace velum::plan {

// Elements [begin, end) of the step's value that a task computes.
struct OutputRange {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t size() const { return end - begin; }
};
OutputRange outputs_of_task(const Step& step, const Task& task);

// The rows of values that a task reads: for each value the step names as a source, ascending. Both members of
// a pair are read, also where a group has no weight for one. None where the source is streamed.
struct RowRef {
  std::uint32_t value = 0, row = 0;
  auto operator<=>(const RowRef&) const = default;  // NOLINT(modernize-use-nullptr): none is there
};
std::vector<RowRef> rows_read(const ServerPlan& plan, const Task& task);

// How many pairs a task's groups read: the slots of its panel.
std::size_t panel_pairs(const Step& step, const Task& task);

std::uint32_t row_of(const Value& v, std::uint32_t element);
std::uint64_t row_bytes(const Value& v, std::uint32_t row, std::size_t n);

// Shared by all threads while a task runs: results of the affine map that are finished afterwards.
std::uint64_t task_temporary_bytes(const Step& step, const Task& task, std::size_t n);
// One thread's panel and scratch, the largest over all tasks.
std::uint64_t workspace_bytes(const ServerPlan& plan);
// All switching keys, both halves expanded.
std::uint64_t key_bytes(const ckks::ParametersLiteral& params, const ckks::KeyList& keys);
// Weights, pairs, groups and biases, as the engine holds them.
std::uint64_t plan_bytes(const ServerPlan& plan);

// The most bytes of values and temporaries alive at a time. Input rows are read right before the first task
// that needs them. Throws Error(user) where a task reads a row that is not there or was freed.
struct Peak {
  std::uint64_t bytes = 0;
  std::size_t task = 0;  // where it happens
};
Peak follow_schedule(const ServerPlan& plan);

// All of it, with the program itself, while it evaluates or while it reads the keys, whichever takes more.
std::uint64_t total_peak_bytes(const ServerPlan& plan, int threads);

// Writes into the plan what it takes with so many threads.
void state_memory(ServerPlan& plan, int threads);

}  // namespace velum::plan
