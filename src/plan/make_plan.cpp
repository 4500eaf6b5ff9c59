#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "plan/composition.h"
#include "plan/emit.h"
#include "plan/explain.h"
#include "plan/identity.h"
#include "plan/peak.h"
#include "plan/precision.h"
#include "plan/schedule.h"
#include "plan/sums.h"

namespace velum::plan {

namespace {

// Counts of every step as the schedule runs it.
void add_costs(PlanResult& result, const Rates& rates) {
  auto& plan = result.plan;
  const auto ring = ring_size(plan.client.params);
  std::vector<std::vector<Task>> tasks(plan.steps.size());
  for (const auto& task : plan.tasks) tasks[task.step].push_back(task);
  plan.total = {};
  result.work.clear();
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    auto& step = plan.steps[s];
    const auto w = scheduled_work(step, plan.values[step.output].elements, tasks[s], ring.n);
    step.cost = cost_of(w, ring, rates);
    plan.total = plan.total + step.cost;
    result.work.push_back(work_of(w, ring));
  }
  result.input_work = input_work(plan.values[0].elements, plan.client.input_limbs, ring.n);
  plan.total.seconds += rates.seconds(result.input_work);
}

std::vector<PackedStage> pack_all(const Network& network) {
  std::vector<PackedStage> stages;
  for (std::size_t i = 0; i < network.stages.size(); ++i) stages.push_back(pack(network, i));
  return stages;
}

// One way to lower the network, and the parameters found for it.
struct Variant {
  Network network;
  std::vector<PackedStage> stages;
  Levels levels;
  ParameterSearch search;
  double precision_bits = 0;  // that were searched for
  // Seconds of an image: a larger ring takes more of them at once.
  double rate() const { return search.best.seconds / static_cast<double>(search.best.n); }
};

// Levels and parameters of the request's precision; the problem where there are none.
std::optional<std::string> search_levels(Variant& v, const Request& request) {
  v.levels = assign_levels(v.stages);
  v.precision_bits = request.precision_bits;
  v.search = search_parameters(v.network, v.stages, v.levels, request);
  const bool found = v.search.problem.empty();
  const auto outcome = [](const ParameterSearch& s) {
    return s.problem.empty() ? std::nullopt : std::optional(s.problem);
  };
  // A rescale after the first layer: for what the shorter chain cannot do in this ring, or at all.
  if (v.levels.depth == 0 || (found && v.search.smaller_rings.empty())) return outcome(v.search);
  auto levels = assign_levels(v.stages, true);
  auto longer = search_parameters(v.network, v.stages, levels, request);
  // Where neither does, the refusal is that of the chain that comes closer.
  if (!longer.problem.empty())
    return outcome(!found && longer.most_precise > v.search.most_precise ? longer : v.search);
  if (found && longer.best.seconds / static_cast<double>(longer.best.n) >= v.rate()) return std::nullopt;
  v.levels = std::move(levels);
  v.search = std::move(longer);
  return std::nullopt;
}

// Where no precision is asked for, the planner's own; where nothing reaches that, half as much above the
// usual one, and so on down to it.
Variant plan_variant(const model::Graph& graph, const Request& request, bool keep_sums) {
  constexpr double kLeastRaise = 0.5;
  Variant v;
  v.network = lower(graph, keep_sums);
  v.stages = pack_all(v.network);
  auto asked = request;
  if (request.precision_bits <= 0) {
    for (double raise =
             own_precision(v.network.vectors.back().bound, typical_output(graph, v.network)) - kBoundBits;
         raise >= kLeastRaise; raise /= 2) {
      asked.precision_bits = kBoundBits + raise;
      if (!search_levels(v, asked)) return v;
    }
    asked.precision_bits = kBoundBits;
  }
  if (const auto problem = search_levels(v, asked)) fail_user("{}", *problem);
  return v;
}

// Pools of squares composed with what follows, or kept as steps: whichever is predicted to be faster.
Variant best_variant(const model::Graph& graph, const Request& request, std::optional<Choice>& choice) {
  if (!any_pool_of_sums(graph)) return plan_variant(graph, request, false);
  std::optional<Variant> kept;
  std::string problem;
  try {
    kept = plan_variant(graph, request, true);
  } catch (const Error& e) {
    problem = e.what();
  }
  if (!kept) {
    auto composed = plan_variant(graph, request, false);
    choice = {"pools", "composed with the layers that follow", "kept as steps they do not fit", problem};
    return composed;
  }
  // Weights decide the time, and the memory that planning takes: what has many times as many is not tried.
  constexpr std::uint64_t kTooMany = 3, kFew = 10'000'000;
  const auto weights = count_weights(kept->network);
  if (weights.composed > kFew && weights.composed > kTooMany * weights.kept) {
    choice = {"pools", "kept as steps that add up squares",
              "the layers that follow read one sum instead of a window of squares",
              fmt::format("composed: {:.1f} times as many products, not planned",
                          static_cast<double>(weights.composed) / static_cast<double>(weights.kept))};
    return std::move(*kept);
  }
  std::optional<Variant> composed;
  try {
    composed = plan_variant(graph, request, false);
  } catch (const Error& e) {
    problem = e.what();
  }
  const auto seconds = [](const Variant& v) {
    return format_duration(v.search.best.seconds) + " on one thread";
  };
  const bool keep = !composed || kept->rate() <= composed->rate();
  choice =
      Choice{"pools", keep ? "kept as steps that add up squares" : "composed with the layers that follow",
             keep ? "the layers that follow read one sum instead of a window of squares: " + seconds(*kept)
                  : "it is faster: " + seconds(*composed),
             !composed ? "composed: " + problem
             : keep    ? "composed: " + seconds(*composed)
                       : "kept: " + seconds(*kept)};
  return keep ? std::move(*kept) : std::move(*composed);
}

void check_request(const Request& r) {
  if (r.batch < 0) fail_user("batch size is {}: expected 0 (as many as slots) or more", r.batch);
  if (!(r.precision_bits >= 0))
    fail_user("a precision of {} bits was asked for: expected 0 (the planner's own) or more",
              r.precision_bits);
  if (r.max_log_n < r.min_log_n || r.min_log_n < 4 || r.max_log_n > 16)
    fail_user("ring dimensions 2^{} to 2^{} were asked for: expected a range within 2^10 to 2^16",
              r.min_log_n, r.max_log_n);
}

// The request's memory, or what the machine has. A refusal names the usual precision where more than that was
// planned without being asked for.
Schedule schedule_within_memory(ServerPlan& plan, const Request& request, double precision_bits) {
  const auto limit = request.memory_bytes ? request.memory_bytes : available_memory_bytes();
  try {
    return make_schedule(plan, limit, request.threads ? request.threads : threads(), rates_of(request));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::user || request.precision_bits > 0 || precision_bits <= kBoundBits) throw;
    fail_user("{}; or ask for --precision {:.0f}, in place of {:.1f} that leave more to typical outputs",
              e.what(), kBoundBits, precision_bits);
  }
}

}  // namespace

PlanResult make_plan(const model::Graph& graph, const Request& request) {
  check_request(request);
  PlanResult result;
  result.notes = graph.notes;
  result.rates_origin = request.rates_origin;
  std::optional<Choice> pools;
  const auto [network, stages, levels, search, precision_bits] = best_variant(graph, request, pools);
  auto emitted = emit_plan(graph, network, stages, levels, search.best);
  result.plan = std::move(emitted.plan);
  result.meanings = std::move(emitted.meanings);
  auto& plan = result.plan;
  const auto schedule = schedule_within_memory(plan, request, precision_bits);
  add_costs(result, rates_of(request));
  plan.client.id = plan_id(plan.client);
  if (auto note = note_precision(network.vectors.back().bound, typical_output(graph, network), precision_bits,
                                 request.precision_bits <= 0))
    result.notes.push_back(std::move(*note));
  auto settled = request;
  settled.precision_bits = precision_bits;
  result.choices = explain_choices(plan, stages, levels, search, schedule, settled);
  if (pools) result.choices.push_back(*pools);
  const std::size_t slots = ring::slot_count(request.ring, plan.client.params.n);
  if (static_cast<std::size_t>(request.batch) > slots)
    result.notes.push_back(fmt::format("{} images take {} batches of up to {}", request.batch,
                                       (static_cast<std::size_t>(request.batch) + slots - 1) / slots, slots));
  verify_plan(plan);
  return result;
}

}  // namespace velum::plan
