#include <algorithm>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "plan/emit.h"
#include "plan/explain.h"
#include "plan/identity.h"
#include "plan/peak.h"
#include "plan/schedule.h"

namespace velum::plan {

namespace {

// Counts of every step as the schedule runs it: an input that several tasks read is split in each of them.
void add_costs(ServerPlan& plan, const Rates& rates) {
  const auto& params = plan.client.params;
  RingSize ring{params.n, params.special.size(), {}};
  for (const auto q : params.moduli) ring.digits.push_back(kernels::digit_count(q));
  std::vector<std::uint64_t> panel_inputs(plan.steps.size(), 0), squares(plan.steps.size(), 0);
  for (const auto& task : plan.tasks) {
    const auto& step = plan.steps[task.step];
    if (step.identity) continue;
    std::uint64_t inputs = 0, all = 0, squared = 0;
    for (const auto& s : step.sources) {
      all += s.elements.size();
      squared += s.kind == SourceKind::square ? s.elements.size() : 0;
    }
    std::vector<bool> read(step.pairs.size(), false);
    for (auto g = task.group_begin; g < task.group_end; ++g)
      for (const auto p : step.groups[g].pairs) {
        if (read[p]) continue;
        read[p] = true;
        inputs += step.pairs[p].second == kAbsent ? 1 : 2;
      }
    panel_inputs[task.step] += inputs;
    squares[task.step] += all ? inputs * squared / all : 0;
  }
  plan.total = {};
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    auto& step = plan.steps[s];
    StepWork w;
    w.outputs = plan.values[step.output].elements;
    w.polys = step.polys;
    w.limbs = step.limbs;
    w.finish = step.finish;
    w.identity = step.identity;
    if (step.identity) {
      w.panel_inputs = w.squares = w.outputs;
    } else {
      for (const auto& g : step.groups)
        for (const auto p : g.pairs) w.lanes += g.rows * (step.pairs[p].second == kAbsent ? 1u : 2u);
      w.panel_inputs = panel_inputs[s];
      w.squares = squares[s];
    }
    step.cost = cost_of(w, ring, rates);
    plan.total = plan.total + step.cost;
  }
}

std::vector<PackedStage> pack_all(const Network& network) {
  std::vector<PackedStage> stages;
  for (std::size_t i = 0; i < network.stages.size(); ++i) stages.push_back(pack(network, i));
  return stages;
}

void check_request(const Request& r) {
  if (r.batch < 0) fail_user("batch size is {}: expected 0 (as many as slots) or more", r.batch);
  if (r.max_log_n < r.min_log_n || r.min_log_n < 4 || r.max_log_n > 16)
    fail_user("ring dimensions 2^{} to 2^{} were asked for: expected a range within 2^10 to 2^16",
              r.min_log_n, r.max_log_n);
}

}  // namespace

PlanResult make_plan(const model::Graph& graph, const Request& request) {
  check_request(request);
  PlanResult result;
  result.notes = graph.notes;
  const auto network = lower(graph);
  const auto stages = pack_all(network);
  const auto levels = assign_levels(stages);
  const auto search = search_parameters(network, stages, levels, request);
  result.plan = emit_plan(graph, network, stages, levels, search.best);
  auto& plan = result.plan;
  const auto limit = request.memory_bytes ? request.memory_bytes : available_memory_bytes();
  const auto schedule = make_schedule(plan, limit, request.threads ? request.threads : threads());
  add_costs(plan, request.rates);
  plan.client.id = plan_id(plan.client);
  result.choices = explain_choices(plan, network, stages, levels, search, schedule, request);
  const std::size_t slots = ring::slot_count(request.ring, plan.client.params.n);
  if (static_cast<std::size_t>(request.batch) > slots)
    result.notes.push_back(fmt::format("{} images take {} batches of up to {}", request.batch,
                                       (static_cast<std::size_t>(request.batch) + slots - 1) / slots, slots));
  verify_plan(plan);
  return result;
}

}  // namespace velum::plan
