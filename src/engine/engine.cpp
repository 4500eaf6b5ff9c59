#include "engine/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "engine/affine.h"
#include "engine/prepared_step.h"
#include "engine/rotations.h"
#include "engine/run_products.h"
#include "engine/square_sums.h"
#include "engine/stream.h"
#include "engine/value_store.h"
#include "plan/schedule/peak.h"
#include "plan/schedule/stream.h"

namespace velum::engine {

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

// Room for places that nothing fits into at the moment: without it pages would go back to the system and come
// again all the time. The plan's figure is kept within a tenth.
std::uint64_t with_slack(std::uint64_t bytes) {
  return bytes + bytes / 24;
}

std::size_t relinearised_limbs(const plan::ServerPlan& plan) {
  std::size_t limbs = 0;
  for (const auto& step : plan.steps)
    if (step.kind == plan::StepKind::squares || step.finish == plan::Finish::relinearise ||
        step.finish == plan::Finish::relinearise_rescale)
      limbs = std::max<std::size_t>(limbs, step.limbs);
  return limbs;
}

// The state of one run: values, scratch memory of each thread, and what is reported.
class Run {
 public:
  Run(const plan::ServerPlan& plan, const ckks::Parameters& params, const ckks::EvaluationKeys& keys,
      const ckks::Evaluator& evaluator, const Rotations& rotations, const InputSource& input,
      MemoryPool& pool, Workers& workers)
      : plan_(plan),
        params_(params),
        keys_(keys),
        evaluator_(evaluator),
        rotations_(rotations),
        input_(input),
        pool_(pool),
        store_(plan, params.n(), pool),
        workers_(workers),
        loops_before_(workers.loop_seconds()) {}

  // `first`: the streamed step that it reads, or null.
  void task(const PreparedStep& prepared, const plan::Task& task, const Probe& probe,
            const PreparedStep* first) {
    const auto& step = *prepared.step;
    const auto [begin, end] = output_range(step, task);
    first_ = first;
    if (first && probe)
      store_.hold(first->step->output, 0, plan_.values[first->step->output].elements);
    else if (!first)
      hold_inputs(prepared, task);
    probing_ = static_cast<bool>(probe);
    // Where a window of the inputs is open, its memory becomes that of the results.
    if (!first || step.finish == plan::Finish::none) store_.hold(step.output, begin, end);
    switch (step.kind) {
      case plan::StepKind::squares:
        square_relinearise(prepared, begin, end);
        break;
      case plan::StepKind::rotation:
        run_rotations(prepared, begin, end, rotations_, evaluator_, store_, workers_);
        break;
      case plan::StepKind::affine:
        affine_and_finish(prepared, task);
        break;
    }
    if (probe && first) {
      const auto value = first->step->output, elements = plan_.values[value].elements;
      show(probe, value, 0, elements);
      store_.release({value, 0, static_cast<std::uint32_t>(plan_.values[value].row_begin.size() - 1)});
    }
    if (probe) show(probe, step.output, begin, end);
    for (const auto& r : task.releases) store_.release(r);
  }

  ValueStore& store() { return store_; }
  // Of a streamed step, and of its reader, so far: a worker's time each.
  const StreamSeconds& stream_seconds() const { return stream_seconds_; }
  double input_seconds() const { return input_seconds_; }
  double loop_seconds() const { return workers_.loop_seconds() - loops_before_; }

 private:
  static std::pair<std::uint32_t, std::uint32_t> output_range(const plan::Step& step,
                                                              const plan::Task& task) {
    if (plan::elementwise(step)) return {task.group_begin, task.group_end};
    const auto& last = step.groups[task.group_end - 1];
    return {step.groups[task.group_begin].first_output, last.first_output + last.rows};
  }

  void show(const Probe& probe, std::uint32_t value, std::uint32_t begin, std::uint32_t end) {
    std::vector<ckks::ConstView> views;
    for (auto o = begin; o < end; ++o) views.push_back(store_.element(value, o));
    probe(value, begin, views);
  }

  void stream(const PreparedStep& prepared, const std::function<ckks::View(std::uint32_t)>& place) {
    const auto value = first_->step->output;
    std::function<ckks::View(std::uint32_t)> keep;
    if (probing_) keep = [this, value](std::uint32_t o) { return store_.element(value, o); };
    const auto seconds = run_stream(*first_, prepared, plan_.values[value].elements, params_, input_, pool_,
                                    workers_, place, keep);
    input_seconds_ += seconds.input;
    stream_seconds_ = seconds;
  }

  // Reads the input rows that the task needs and that are not there yet.
  void hold_inputs(const PreparedStep& prepared, const plan::Task& task) {
    const auto start = clock_type::now();
    const auto& step = *prepared.step;
    std::vector<bool> needed(plan_.values[0].row_begin.size() - 1);
    const auto need = [&](std::uint32_t index) {
      const auto& in = prepared.inputs[index];
      if (in.value == 0) needed[store_.row_of(0, in.element)] = true;
    };
    if (plan::elementwise(step)) {
      for (auto i = task.group_begin; i < task.group_end; ++i) need(i);
    } else {
      for (auto g = task.group_begin; g < task.group_end; ++g) {
        for (const auto p : step.groups[g].pairs) {
          need(step.pairs[p].first);
          if (step.pairs[p].second != plan::kAbsent) need(step.pairs[p].second);
        }
        for (const auto i : step.groups[g].periodic_inputs) need(i);
      }
    }
    std::vector<InputSource::Whole> reads;
    for (std::uint32_t r = 0; r < needed.size(); ++r) {
      if (!needed[r] || store_.holds_row(0, r)) continue;
      const auto begin = plan_.values[0].row_begin[r], end = plan_.values[0].row_begin[r + 1];
      store_.hold(0, begin, end);
      for (auto e = begin; e < end; ++e) reads.push_back({e, store_.element(0, e)});
    }
    const auto together = read_together(reads.size(), workers_.count());
    workers_.loop((reads.size() + together - 1) / together, [&](std::size_t i, int) {
      const auto begin = i * together;
      input_.read_several(std::span(reads).subspan(begin, std::min(together, reads.size() - begin)));
    });
    input_seconds_ += seconds_since(start);
  }

  void square_relinearise(const PreparedStep& prepared, std::uint32_t begin, std::uint32_t end) {
    const auto& step = *prepared.step;
    const std::size_t n = params_.n(), limbs = step.limbs;
    workers_.loop(end - begin, [&](std::size_t i, int worker) {
      const auto o = begin + static_cast<std::uint32_t>(i);
      const auto& in = prepared.inputs[o];
      auto* memory = workers_.take(worker, evaluator_.scratch_words(limbs) + 3 * limbs * n);
      const ckks::View squared{memory, 3, limbs, n, limbs * n};
      auto source = store_.element(in.value, in.element);
      source.limbs = limbs;
      evaluator_.square(squared, source);
      evaluator_.relinearise(store_.element(step.output, o), squared, keys_.relinearise,
                             memory + 3 * limbs * n);
    });
  }

  // The outputs of these parts, unfinished ones where the step finishes them.
  void affine(const PreparedStep& prepared, const std::vector<plan::Part>& parts,
              const std::function<ckks::View(std::uint32_t)>& place) {
    if (first_) {
      stream(prepared, place);
    } else if (prepared.adds_squares) {
      run_square_sums(prepared, parts, params_, store_, workers_, place);
    } else {
      for (const auto& part : parts) run_affine(prepared, part, params_, store_, workers_, place);
    }
    for (const auto& part : parts)
      if (has_run_products(prepared, part)) run_products(prepared, part, params_, store_, workers_, place);
  }

  void affine_and_finish(const PreparedStep& prepared, const plan::Task& task) {
    const auto& step = *prepared.step;
    for (const auto& parts : plan::finish_batches(step, task, params_.n())) {
      if (step.finish == plan::Finish::none)
        affine(prepared, parts, [&](std::uint32_t o) { return store_.element(step.output, o); });
      else
        finish_batch(prepared, parts);
    }
  }

  void finish_batch(const PreparedStep& prepared, const std::vector<plan::Part>& parts) {
    const auto& step = *prepared.step;
    const std::size_t n = params_.n(), limbs = step.limbs, polys = step.polys;
    const std::size_t words = polys * limbs * n;
    std::vector<std::uint32_t> outputs;
    for (const auto& part : parts)
      for (const auto g : part)
        for (std::uint32_t r = 0; r < step.groups[g].rows; ++r)
          outputs.push_back(step.groups[g].first_output + r);
    std::sort(outputs.begin(), outputs.end());
    std::vector<PoolBlock> unfinished(outputs.size());
    for (auto& block : unfinished) block = pool_.take(words);
    const auto place = [&](std::uint32_t o) {
      const auto at = std::lower_bound(outputs.begin(), outputs.end(), o) - outputs.begin();
      return ckks::View{unfinished[static_cast<std::size_t>(at)].data(), polys, limbs, n, limbs * n};
    };
    affine(prepared, parts, place);
    if (first_) store_.hold(step.output, outputs.front(), outputs.back() + 1);
    workers_.loop(outputs.size(), [&](std::size_t i, int worker) {
      const auto out = store_.element(step.output, outputs[i]);
      const ckks::View from{unfinished[i].data(), polys, limbs, n, limbs * n};
      auto* memory = workers_.take(worker, evaluator_.scratch_words(limbs));
      if (step.finish == plan::Finish::relinearise)
        evaluator_.relinearise(out, from, keys_.relinearise, memory);
      else if (step.finish == plan::Finish::rescale)
        evaluator_.rescale(out, from, memory);
      else
        evaluator_.relinearise_rescale(out, from, keys_.relinearise, memory);
    });
  }

  const plan::ServerPlan& plan_;
  const ckks::Parameters& params_;
  const ckks::EvaluationKeys& keys_;
  const ckks::Evaluator& evaluator_;
  const Rotations& rotations_;
  const InputSource& input_;
  MemoryPool& pool_;
  ValueStore store_;
  Workers& workers_;
  double loops_before_;
  double input_seconds_ = 0;
  const PreparedStep* first_ = nullptr;  // of the task at work
  bool probing_ = false;
  StreamSeconds stream_seconds_;
};

}  // namespace

struct Engine::State {
  const plan::ServerPlan& plan;
  ckks::Parameters params;
  const ckks::EvaluationKeys& keys;
  ckks::Evaluator evaluator;
  std::optional<Rotations> rotations;
  std::vector<PreparedStep> steps;
  // Kept from run to run.
  MemoryPool pool;
  Workers workers{1};

  State(const plan::ServerPlan& p, const ckks::Parameters& pa, const ckks::EvaluationKeys& k)
      : plan(p), params(pa), keys(k), evaluator(pa), pool(with_slack(plan::follow_schedule(p).bytes)) {}
};

Engine::Engine(const plan::ServerPlan& plan, const ckks::Parameters& params, const ckks::EvaluationKeys& keys)
    : state_(std::make_unique<State>(plan, params, keys)) {
  if (params.literal() != plan.client.params)
    fail_user("parameters {} are not those of the plan for '{}'; load both from the same plan",
              params.id_text(), plan.client.model_name);
  if (keys.params != params.id())
    fail_user(
        "the evaluation keys were made under other parameters than the plan's ({}); run velum keygen with "
        "this plan",
        params.id_text());
  const auto limbs = relinearised_limbs(plan);
  if (keys.list.relinearise_limbs < limbs || keys.relinearise.limbs < limbs)
    fail_user(
        "the evaluation keys hold a relinearisation key for {} limbs, the plan needs {}; run velum keygen "
        "with this plan",
        keys.list.relinearise_limbs, limbs);
  state_->rotations.emplace(plan, params, keys);
  for (const auto& step : plan.steps)
    state_->steps.push_back(
        prepare_step(step, plan.values[step.output].elements, params, plan.client.blocks));
}

Engine::~Engine() = default;

void Engine::release_memory() const {
  state_->pool.release_free();
}

std::vector<ckks::Ciphertext> Engine::run(const InputSource& input, RunReport* report,
                                          const ProgressCallback& progress, const Probe& probe) const {
  const auto& plan = state_->plan;
  if (input.count() != plan.values[0].elements)
    fail_user("the batch holds {} ciphertexts, the plan expects {}; encrypt it with this plan", input.count(),
              plan.values[0].elements);
  const auto start = clock_type::now();
  const auto count = static_cast<std::size_t>(threads());  // for all of the run
  state_->workers.use(count);
  Run run(plan, state_->params, state_->keys, state_->evaluator, *state_->rotations, input, state_->pool,
          state_->workers);
  state_->pool.restart_peak();
  std::vector<double> seconds(plan.steps.size());
  double planned = 0, done = 0;
  for (const auto& step : plan.steps) planned += step.cost.seconds;
  for (const auto& task : plan.tasks) {
    const auto task_start = clock_type::now();
    const double input_before = run.input_seconds();
    const auto& prepared = state_->steps[task.step];
    const auto& step = *prepared.step;
    if (progress) progress(planned > 0 ? done / planned : 0, step.name);
    const auto source = plan::streamed_source(plan, task.step);
    run.task(prepared, task, probe, source == plan::kAbsent ? nullptr : &state_->steps[source]);
    const double taken = seconds_since(task_start) - (run.input_seconds() - input_before);
    seconds[task.step] += taken;
    if (source != plan::kAbsent) {  // what the streamed step took of it
      const auto& of = run.stream_seconds();
      const double share = of.first / std::max(of.first + of.second, 1e-9) *
                           std::min(1.0, (of.first + of.second) / static_cast<double>(count) / taken);
      seconds[source] += share * taken;
      seconds[task.step] -= share * taken;
      done += plan.steps[source].cost.seconds;
    }
    const double all =
        plan::elementwise(step) ? plan.values[step.output].elements : static_cast<double>(step.groups.size());
    done += step.cost.seconds * (task.group_end - task.group_begin) / all;
  }

  const auto& out_value = plan.values[plan.output_value];
  std::vector<ckks::Ciphertext> outputs;
  for (std::uint32_t e = 0; e < out_value.elements; ++e) {
    const ckks::ConstView v = run.store().element(plan.output_value, e);
    ckks::Ciphertext c(state_->params, v.polys, v.limbs, out_value.scale);
    for (std::size_t p = 0; p < v.polys; ++p) std::copy_n(v.limb(p, 0), v.limbs * v.n, c.view().limb(p, 0));
    outputs.push_back(std::move(c));
  }
  if (report) {
    report->seconds = seconds_since(start);
    report->input_seconds = run.input_seconds();
    report->serial_seconds = report->seconds - run.loop_seconds();
    report->peak_bytes_of_values = state_->pool.peak_in_use();
    report->steps.clear();
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
      const auto& value = plan.values[plan.steps[s].output];
      report->steps.push_back({.name = plan.steps[s].name,
                               .seconds = seconds[s],
                               .cost = plan.steps[s].cost,
                               .limbs = value.limbs,
                               .scale_bits = std::log2(value.scale),
                               .outputs = value.elements});
    }
  }
  return outputs;
}

}  // namespace velum::engine
