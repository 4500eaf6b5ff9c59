#include "plan/schedule/peak.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.h"
#include "ckks/core/scratch.h"
#include "plan/key_bytes.h"
#include "plan/schedule/parts.h"
#include "plan/schedule/run_products.h"
#include "plan/schedule/stream.h"
#include "ring/ring.h"

namespace velum::plan {

namespace {

// Program, libraries, buffers of files.
constexpr std::uint64_t kProgramBytes = 8u << 20;

// Tables of the transforms, for every modulus.
std::uint64_t table_bytes(const ckks::ParametersLiteral& params) {
  return std::uint64_t{params.moduli.size() + params.special.size()} * ring::table_words(params.n) * 8;
}

// Input index of a step to value and element.
class InputFinder {
 public:
  explicit InputFinder(const Step& step) : step_(step) {
    std::size_t begin = 0;
    for (const auto& s : step.sources) begins_.push_back(begin), begin += s.elements.size();
  }
  std::pair<std::uint32_t, std::uint32_t> find(std::uint32_t input) const {
    const auto s =
        static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), input) - begins_.begin()) -
        1;
    return {step_.sources[s].value, step_.sources[s].elements[input - begins_[s]]};
  }

 private:
  const Step& step_;
  std::vector<std::size_t> begins_;
};

// Inputs that the task's groups read with weights by block.
std::vector<std::uint32_t> periodic_inputs_read(const Step& step, const Task& task) {
  std::vector<std::uint32_t> all;
  for (auto g = task.group_begin; g < task.group_end; ++g)
    all.insert(all.end(), step.groups[g].periodic_inputs.begin(), step.groups[g].periodic_inputs.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<std::uint32_t> pairs_read(const Step& step, const Task& task) {
  std::vector<bool> read(step.pairs.size(), false);
  for (auto g = task.group_begin; g < task.group_end; ++g)
    for (const auto p : step.groups[g].pairs) read[p] = true;
  std::vector<std::uint32_t> pairs;
  for (std::uint32_t p = 0; p < read.size(); ++p)
    if (read[p]) pairs.push_back(p);
  return pairs;
}

// The evaluator's scratch memory; beside it squares before they are relinearised, or the digits that an
// input's rotations share.
std::uint64_t finish_scratch_bytes(const Step& step, std::size_t n, std::size_t special) {
  if (!elementwise(step) && step.finish == Finish::none) return 0;
  const std::size_t limbs = step.limbs;
  const std::size_t beside = step.kind == StepKind::squares    ? 3 * limbs * n
                             : step.kind == StepKind::rotation ? ckks::decomposed_words(limbs, special, n)
                                                               : 0;
  return std::uint64_t{ckks::scratch_words(limbs, special, n) + beside} * 8;
}

}  // namespace

OutputRange outputs_of_task(const Step& step, const Task& task) {
  if (elementwise(step)) return {task.group_begin, task.group_end};
  const auto& last = step.groups[task.group_end - 1];
  return {step.groups[task.group_begin].first_output, last.first_output + last.rows};
}

std::uint32_t row_of(const Value& v, std::uint32_t element) {
  return static_cast<std::uint32_t>(std::upper_bound(v.row_begin.begin(), v.row_begin.end(), element) -
                                    v.row_begin.begin()) -
         1;
}

std::uint64_t row_bytes(const Value& v, std::uint32_t row, std::size_t n) {
  return std::uint64_t{v.row_begin[row + 1] - v.row_begin[row]} * v.polys * v.limbs * n * 8;
}

std::size_t panel_pairs(const Step& step, const Task& task) {
  return elementwise(step) ? 0 : pairs_read(step, task).size();
}

std::vector<RowRef> rows_read(const ServerPlan& plan, const Task& task) {
  const auto& step = plan.steps[task.step];
  if (streamed_source(plan, task.step) != kAbsent) return {};  // made as they are read
  const InputFinder finder(step);
  std::vector<std::vector<bool>> read(plan.values.size());
  for (const auto& s : step.sources) read[s.value].resize(plan.values[s.value].row_begin.size() - 1);
  const auto mark = [&](std::uint32_t input) {
    const auto [value, element] = finder.find(input);
    read[value][row_of(plan.values[value], element)] = true;
  };
  if (elementwise(step))
    for (auto o = task.group_begin; o < task.group_end; ++o) mark(o);
  else {
    for (const auto p : pairs_read(step, task)) {
      mark(step.pairs[p].first);
      if (step.pairs[p].second != kAbsent) mark(step.pairs[p].second);
    }
    for (const auto i : periodic_inputs_read(step, task)) mark(i);
  }
  std::vector<RowRef> rows;
  for (std::uint32_t v = 0; v < read.size(); ++v)
    for (std::uint32_t r = 0; r < read[v].size(); ++r)
      if (read[v][r]) rows.push_back({v, r});
  return rows;
}

std::uint64_t task_temporary_bytes(const Step& step, const Task& task, std::size_t n) {
  if (elementwise(step) || step.finish == Finish::none) return 0;
  std::uint64_t most = 0;
  for (const auto& batch : finish_batches(step, task, n))
    most = std::max(most, unfinished_bytes(step, batch, n));
  return most;
}

std::uint64_t workspace_bytes(const ServerPlan& plan) {
  const auto& params = plan.client.params;
  std::uint64_t most = 0;
  for (const auto& task : plan.tasks) {
    const auto& step = plan.steps[task.step];
    most = std::max(most, finish_scratch_bytes(step, params.n, params.special.size()));
    if (elementwise(step) || adds_squares(step)) continue;
    if (const auto source = streamed_source(plan, task.step); source != kAbsent) {
      const auto& first = plan.steps[source];
      most = std::max(
          most, std::uint64_t{stream_words(first, step, plan.values[first.output].elements, params.n)} * 8);
      continue;
    }
    Part all(task.group_end - task.group_begin);
    std::iota(all.begin(), all.end(), task.group_begin);
    most = std::max(most, std::uint64_t{slice_words(step, all, panel_pairs(step, task), params.n)} * 8);
    most = std::max(most, std::uint64_t{run_product_words(step, task.group_begin, task.group_end,
                                                          plan.client.blocks, params.n)} *
                              8);
  }
  return most;
}

std::uint64_t key_bytes(const ckks::ParametersLiteral& params, const ckks::KeyList& keys) {
  const auto of = [&](std::size_t limbs) {
    return ckks::switch_key_bytes(limbs, params.special.size(), params.n);
  };
  std::uint64_t bytes = of(keys.relinearise_limbs);
  for (const auto& r : keys.rotations) bytes += of(r.limbs);
  return bytes;
}

std::uint64_t plan_bytes(const ServerPlan& plan) {
  std::set<std::int32_t> shifts;  // each with its permutation
  for (const auto& s : plan.steps) shifts.insert(s.shifts.begin(), s.shifts.end());
  std::uint64_t bytes = std::uint64_t{shifts.size()} * plan.client.params.n * 4;
  for (const auto& s : plan.steps) {
    bytes += s.weights.size() * 2 + s.pairs.size() * sizeof(InputPair) + s.groups.size() * sizeof(Group);
    bytes += s.bias.size() * 8 * (1 + s.limbs);  // and its residues
    bytes += s.periodic.size() * 4 + kept_weight_bytes(s, plan.client.blocks, plan.client.params.n);
    bytes += s.shifts.size() * 4;
    for (const auto& g : s.groups) bytes += (g.pairs.size() + g.periodic_inputs.size()) * 4;
    for (const auto& source : s.sources) bytes += source.elements.size() * (4 + 16);
  }
  return bytes;
}

Peak follow_schedule(const ServerPlan& plan) {
  const std::size_t n = plan.client.params.n;
  enum class State : std::uint8_t { absent, held, freed };
  std::vector<std::vector<State>> state;
  for (const auto& v : plan.values) state.emplace_back(v.row_begin.size() - 1, State::absent);
  std::uint64_t bytes = 0;
  Peak peak;
  const auto hold = [&](std::uint32_t value, std::uint32_t row) {
    auto& s = state[value][row];
    if (s == State::freed)
      fail_user("plan: row {} of value '{}' is used after it was released", row, plan.values[value].name);
    if (s == State::absent) bytes += row_bytes(plan.values[value], row, n);
    s = State::held;
  };
  for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
    const auto& task = plan.tasks[t];
    const auto& step = plan.steps[task.step];
    for (const auto& [value, row] : rows_read(plan, task)) {
      if (value != 0 && state[value][row] == State::absent)
        fail_user("plan: task {} reads row {} of value '{}' before it is computed", t, row,
                  plan.values[value].name);
      hold(value, row);
    }
    // A window is closed before results are finished.
    const auto source = streamed_source(plan, task.step);
    const std::uint64_t temporary = task_temporary_bytes(step, task, n);
    const std::uint64_t window =
        source == kAbsent ? 0 : bytes + temporary + window_bytes(plan.steps[source], n);
    const std::uint64_t before = bytes;
    const auto outputs = outputs_of_task(step, task);
    const auto& out = plan.values[step.output];
    for (auto r = row_of(out, outputs.begin), last = row_of(out, outputs.end - 1); r <= last; ++r)
      hold(step.output, r);
    const std::uint64_t unfinished = step.finish == Finish::none ? bytes - before : 0;
    const std::uint64_t now = std::max(bytes + temporary, window ? window + unfinished : 0);
    if (now > peak.bytes) peak = {now, t};
    for (const auto& release : task.releases)
      for (auto r = release.row_begin; r < release.row_end; ++r) {
        auto& s = state[release.value][r];
        if (s == State::held) bytes -= row_bytes(plan.values[release.value], r, n);
        s = State::freed;
      }
  }
  return peak;
}

std::uint64_t total_peak_bytes(const ServerPlan& plan, int threads) {
  const auto& client = plan.client;
  // While the keys are read their whole file is in memory beside them, and there are no values yet.
  const auto run =
      follow_schedule(plan).bytes + workspace_bytes(plan) * static_cast<std::uint64_t>(std::max(threads, 1));
  return std::max(run, key_file_bytes(client)) + key_bytes(client.params, client.keys) +
         table_bytes(client.params) + plan_bytes(plan) + kProgramBytes;
}

void state_memory(ServerPlan& plan, int threads) {
  plan.threads = threads;
  plan.peak_bytes = total_peak_bytes(plan, threads);
  plan.workspace_bytes_per_thread = workspace_bytes(plan);
}

}  // namespace velum::plan
