#include "plan/file/verify_schedule.h"

#include "plan/file/require.h"
#include "plan/schedule/peak.h"

namespace velum::plan {

namespace {

constexpr int kMostThreads = 1 << 16;
// Sums of sizes stay far below 2^64 where all values together stay below this.
constexpr double kMostBytes = 0x1p60;

struct Element {
  std::uint32_t value, element;
};

// The step's inputs, in the order of its concatenated sources.
std::vector<Element> inputs_of(const Step& step) {
  std::vector<Element> inputs;
  for (const auto& s : step.sources)
    for (const auto e : s.elements) inputs.push_back({s.value, e});
  return inputs;
}

// Calls visit(input) for what the task reads, as the engine does: both members of a pair, also where the
// weight of one is zero.
template <typename Visit>
void for_each_input(const Step& step, const Task& task, Visit&& visit) {
  if (elementwise(step)) {
    for (auto o = task.group_begin; o < task.group_end; ++o) visit(o);
    return;
  }
  for (auto g = task.group_begin; g < task.group_end; ++g) {
    for (const auto p : step.groups[g].pairs) {
      visit(step.pairs[p].first);
      if (step.pairs[p].second != kAbsent) visit(step.pairs[p].second);
    }
    for (const auto i : step.groups[g].periodic_inputs) visit(i);
  }
}

}  // namespace

// Memory is held by the row, but a task may compute some elements of one: the others are not there yet.
void verify_reads(const ServerPlan& plan) {
  std::vector<std::vector<bool>> computed;
  for (const auto& v : plan.values) computed.emplace_back(v.elements, false);
  computed[0].assign(plan.values[0].elements, true);  // read from the batch with its row
  for (const auto& s : plan.steps)
    if (s.streamed) computed[s.output].assign(plan.values[s.output].elements, true);  // where it is read
  std::vector<std::vector<Element>> inputs;
  for (const auto& s : plan.steps) inputs.push_back(inputs_of(s));
  for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
    const auto& task = plan.tasks[t];
    const auto& step = plan.steps[task.step];
    for_each_input(step, task, [&](std::uint32_t i) {
      const auto [value, element] = inputs[task.step][i];
      require(computed[value][element], "task {} reads element {} of value '{}' before it is computed", t,
              element, plan.values[value].name);
    });
    const auto outputs = outputs_of_task(step, task);
    for (auto o = outputs.begin; o < outputs.end; ++o) computed[step.output][o] = true;
  }
}

void verify_memory(const ServerPlan& plan) {
  const double n = static_cast<double>(plan.client.params.n);
  double bytes = 0;
  for (const auto& v : plan.values) bytes += static_cast<double>(v.elements) * v.polys * v.limbs * n * 8;
  require(bytes < kMostBytes, "its values take {:.3g} bytes", bytes);
  require(plan.threads >= 1 && plan.threads <= kMostThreads, "it is for {} threads, expected 1 to {}",
          plan.threads, kMostThreads);
  const auto workspace = workspace_bytes(plan);
  require(plan.workspace_bytes_per_thread == workspace,
          "it states {} bytes of workspace a thread, and takes {}", plan.workspace_bytes_per_thread,
          workspace);
  const auto peak = total_peak_bytes(plan, plan.threads);
  require(plan.peak_bytes == peak, "it states a peak of {} bytes, and takes {}; plan again", plan.peak_bytes,
          peak);
}

}  // namespace velum::plan
