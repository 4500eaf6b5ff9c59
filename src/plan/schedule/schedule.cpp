#include "plan/schedule/schedule.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/units.h"
#include "plan/schedule/cost.h"
#include "plan/schedule/parts.h"
#include "plan/schedule/peak.h"
#include "plan/schedule/stream.h"

namespace velum::plan {

namespace {

// Cuts a step into tasks of at most `height` rows of its value.
std::vector<Task> cut_tasks(const ServerPlan& plan, std::uint32_t index, std::uint32_t height) {
  const auto& step = plan.steps[index];
  const auto& value = plan.values[step.output];
  const auto count = static_cast<std::uint32_t>(elementwise(step) ? value.elements : step.groups.size());
  const auto first_output = [&](std::uint32_t g) {
    return elementwise(step) ? g : step.groups[g].first_output;
  };
  std::vector<Task> tasks;
  std::uint32_t end_of_task = 0;
  for (std::uint32_t g = 0; g < count; ++g) {
    const auto row = row_of(value, first_output(g));
    if (tasks.empty() || row >= end_of_task) {
      tasks.push_back({index, g, g, {}});
      end_of_task = row + height;
    }
    tasks.back().group_end = g + 1;
  }
  return tasks;
}

// Partial sums of a layer, which are complete before anything reads them: were they made row by row, the
// copies of inputs that all rows read would wait for the last one.
bool is_partial(const ServerPlan& plan, const Step& step) {
  return plan.client.blocks > 1 && !elementwise(step) && step.output != plan.output_value &&
         plan.values[step.output].layout.empty();
}

// Runs what is needed, before what needs it, rows in their order.
class DemandOrder {
 public:
  DemandOrder(const ServerPlan& plan, const std::vector<std::uint32_t>& heights) : plan_(plan) {
    producer_.resize(plan.values.size());
    units_of_.resize(plan.steps.size());
    for (std::uint32_t s = 0; s < plan.steps.size(); ++s) {
      const auto& step = plan.steps[s];
      const auto& value = plan.values[step.output];
      producer_[step.output].resize(value.row_begin.size() - 1);
      if (step.streamed) continue;  // its reader's task does its work
      for (const auto& task : cut_tasks(plan, s, heights[s])) {
        const auto outputs = outputs_of_task(step, task);
        const auto id = static_cast<std::uint32_t>(units_.size());
        for (auto r = row_of(value, outputs.begin), last = row_of(value, outputs.end - 1); r <= last; ++r)
          producer_[step.output][r].push_back(id);
        units_of_[s].push_back(id);
        units_.push_back({task, rows_read(plan, task)});
      }
    }
    done_.assign(units_.size(), false);
  }

  std::vector<Task> run() {
    for (const auto& row : producer_[plan_.output_value])
      for (const auto unit : row) demand(unit);
    for (std::uint32_t u = 0; u < units_.size(); ++u) demand(u);  // what nothing needs, for completeness
    add_releases();
    return std::move(tasks_);
  }

 private:
  struct Unit {
    Task task;
    std::vector<RowRef> reads;
  };

  void demand(std::uint32_t unit) {
    const auto step = units_[unit].task.step;
    if (!is_partial(plan_, plan_.steps[step])) return run_unit(unit);
    for (const auto u : units_of_[step]) run_unit(u);
  }

  void run_unit(std::uint32_t unit) {
    if (done_[unit]) return;
    done_[unit] = true;
    for (const auto& [value, row] : units_[unit].reads)
      if (value != 0)
        for (const auto u : producer_[value][row]) demand(u);
    tasks_.push_back(units_[unit].task);
    order_.push_back(unit);
  }

  // A row is freed after the last task that reads it; the output never.
  void add_releases() {
    std::map<RowRef, std::size_t> last;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      const auto& step = plan_.steps[tasks_[t].step];
      const auto outputs = outputs_of_task(step, tasks_[t]);
      const auto& value = plan_.values[step.output];
      for (auto r = row_of(value, outputs.begin), end = row_of(value, outputs.end - 1); r <= end; ++r)
        last[{step.output, r}] = t;  // at least its own task
      for (const auto& ref : units_[order_[t]].reads) last[ref] = t;
    }
    for (const auto& [ref, t] : last) {
      if (ref.value == plan_.output_value) continue;
      auto& releases = tasks_[t].releases;
      if (!releases.empty() && releases.back().value == ref.value && releases.back().row_end == ref.row)
        ++releases.back().row_end;
      else
        releases.push_back({ref.value, ref.row, ref.row + 1});
    }
  }

  const ServerPlan& plan_;
  std::vector<Unit> units_;
  std::vector<std::vector<std::vector<std::uint32_t>>> producer_;  // [value][row]
  std::vector<std::vector<std::uint32_t>> units_of_;               // [step]
  std::vector<bool> done_;
  std::vector<Task> tasks_;
  std::vector<std::uint32_t> order_;
};

// The quickest height of those whose panel still fits the cache at the narrowest slice, and whose unfinished
// results fit their budget: they come on top of the values, and fresh pages are dear.
std::uint32_t first_height(const ServerPlan& plan, std::uint32_t index, const Rates& rates) {
  const auto& step = plan.steps[index];
  const auto rows = static_cast<std::uint32_t>(plan.values[step.output].row_begin.size() - 1);
  if (elementwise(step)) return rows;
  // Outputs that share no input gain nothing from each other's company, and free their inputs row by row.
  const bool alone = std::all_of(step.groups.begin(), step.groups.end(),
                                 [](const Group& g) { return g.rows == 1 && g.pairs.size() == 1; });
  if (alone && is_partial(plan, step)) return 1;
  const auto ring = ring_size(plan.client.params);
  const auto outputs = plan.values[step.output].elements;
  std::uint32_t best = 1;
  double best_seconds = std::numeric_limits<double>::max();
  for (std::uint32_t height = rows;; height = (height + 1) / 2) {
    const auto tasks = cut_tasks(plan, index, height);
    std::uint64_t panel = 0, unfinished = 0;
    for (const auto& task : tasks) {
      panel = std::max(panel, panel_bytes(panel_pairs(step, task), step.polys, 16));
      unfinished = std::max(unfinished, task_temporary_bytes(step, task, plan.client.params.n));
    }
    const bool fits =
        panel <= panel_bytes(1, 1, 16) * 6826 && unfinished <= kUnfinishedBudget;  // 1.25 MiB of panel
    const double seconds = rates.seconds(work_of(scheduled_work(step, outputs, tasks, ring.n), ring));
    if ((fits || height == 1) && seconds < best_seconds) {
      best = height;
      best_seconds = seconds;
    }
    if (height == 1) return best;
  }
}

}  // namespace

std::vector<Task> order_tasks(const ServerPlan& plan, const std::vector<std::uint32_t>& heights) {
  return DemandOrder(plan, heights).run();
}

Schedule make_schedule(ServerPlan& plan, std::uint64_t limit, int threads, const Rates& rates) {
  mark_streams(plan);
  std::vector<std::uint32_t> heights;
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s) heights.push_back(first_height(plan, s, rates));
  Schedule result;
  for (;;) {
    plan.tasks = order_tasks(plan, heights);
    state_memory(plan, threads);
    result.peak_bytes = plan.peak_bytes;
    if (result.untiled_peak == 0) result.untiled_peak = plan.peak_bytes;
    if (plan.peak_bytes <= limit) return result;
    const bool halved = std::any_of(heights.begin(), heights.end(), [](auto h) { return h > 1; });
    if (!halved) break;
    for (auto& h : heights) h = (h + 1) / 2;
    ++result.halvings;
  }
  const auto peak = follow_schedule(plan);
  const auto& step = plan.steps[plan.tasks[peak.task].step];
  fail_user(
      "the run needs {} of memory, {} is available; most is alive at layer '{}', which works over {} moduli "
      "of N = {}: give it "
      "{}, or use a network with smaller feature maps or fewer activations",
      format_bytes(static_cast<double>(plan.peak_bytes)), format_bytes(static_cast<double>(limit)), step.name,
      step.limbs, plan.client.params.n, format_bytes(static_cast<double>(plan.peak_bytes)));
}

}  // namespace velum::plan
