#include "plan/schedule/cost.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/parallel.h"
#include "ckks/core/cost.h"
#include "plan/schedule/memory.h"
#include "plan/schedule/parts.h"
#include "plan/schedule/run_products.h"
#include "plan/schedule/stream.h"

namespace velum::plan {

namespace {

ckks::OperationCost finish_cost(Finish finish, std::uint32_t limbs, std::size_t special) {
  switch (finish) {
    case Finish::none:
      return {};
    case Finish::relinearise:
      return ckks::relinearise_cost(limbs, special);
    case Finish::rescale:
      return ckks::rescale_cost(limbs);
    case Finish::relinearise_rescale:
      return ckks::relinearise_rescale_cost(limbs, special);
  }
  return {};
}

// Ciphertexts that these tasks of a rotation decompose.
std::uint64_t rotated_inputs(const Step& step, std::span<const Task> tasks) {
  std::vector<std::pair<std::size_t, std::uint32_t>> input;
  for (std::size_t s = 0; s < step.sources.size(); ++s)
    for (const auto e : step.sources[s].elements) input.emplace_back(s, e);
  std::uint64_t count = 0;
  for (const auto& task : tasks)
    for (auto o = task.group_begin; o < task.group_end; ++o)
      count += o == task.group_begin || input[o] != input[o - 1] ? 1 : 0;
  return count;
}

// An input is read once a task.
std::uint64_t bytes_read(const StepWork& w, const RingSize& ring) {
  return w.reads_streamed ? 0 : w.panel_inputs * 2 * w.limbs * 8 * ring.n;
}

// An output is written, and where it is finished afterwards, read and written again. Squares that are
// relinearised at once stay in the caches between.
std::uint64_t bytes_written(const StepWork& w, const RingSize& ring) {
  if (w.streamed) return 0;
  const std::uint64_t polys = w.kind != StepKind::affine ? 2
                              : w.finish == Finish::none ? w.polys
                                                         : 3 * w.polys;
  return w.outputs * polys * w.limbs * 8 * ring.n;
}

}  // namespace

StepCost operator+(const StepCost& a, const StepCost& b) {
  return {a.multiply_adds + b.multiply_adds, a.ntts + b.ntts, a.key_products + b.key_products,
          a.bytes + b.bytes, a.seconds + b.seconds};
}

Rates rates_of(const Request& request) {
  return request.rates.at(request.threads ? request.threads : threads());
}

RingSize ring_size(const ckks::ParametersLiteral& params) {
  RingSize ring{params.n, params.special.size(), {}};
  for (const auto q : params.moduli) ring.digits.push_back(kernels::digit_count(q));
  return ring;
}

StepWork scheduled_work(const Step& step, std::uint64_t outputs, std::span<const Task> tasks, std::size_t n) {
  StepWork w;
  w.outputs = outputs;
  w.polys = step.polys;
  w.limbs = step.limbs;
  w.finish = step.finish;
  w.kind = step.kind;
  w.adds_squares = adds_squares(step);
  w.tasks = tasks.size();
  if (step.kind == StepKind::rotation) {
    w.panel_inputs = rotated_inputs(step, tasks);
    return w;
  }
  if (step.kind == StepKind::squares) {
    w.panel_inputs = w.squares = w.outputs;
    return w;
  }
  std::vector<bool> is_square;  // by input
  for (const auto& s : step.sources)
    is_square.insert(is_square.end(), s.elements.size(), s.kind == SourceKind::square);
  std::map<std::uint64_t, std::uint64_t> weights;  // by block: how many from each place on; groups share them
  for (const auto& g : step.groups) {
    if (!g.periodic_inputs.empty())
      weights[g.periodic_offset] = std::uint64_t{g.rows} * g.periodic_inputs.size();
    w.periodic_products += std::uint64_t{g.rows} * g.periodic_inputs.size();
    const std::uint64_t units = run_row_blocks(g.rows);
    w.run_inputs += units * g.periodic_inputs.size();
    w.run_squares += units * static_cast<std::uint64_t>(std::ranges::count_if(
                                 g.periodic_inputs, [&](auto i) { return is_square[i]; }));
    const auto blocks = kernels::row_block_count(g.rows);
    for (const auto p : g.pairs) w.lanes += std::uint64_t{g.rows} * (step.pairs[p].second == kAbsent ? 1 : 2);
    w.panel_lanes += blocks * 2 * g.pairs.size();
    w.blocks += blocks;
    w.runs += g.rows * (g.run_pairs ? (g.pairs.size() + g.run_pairs - 1) / g.run_pairs : 1);
  }
  if (w.periodic_products) {
    std::uint64_t distinct = 0;
    for (const auto& [offset, count] : weights) distinct += count;
    w.period = static_cast<std::uint32_t>(step.periodic.size() / distinct);
    w.kept_weights = kept_weight_bytes(step, w.period, n) > 0;
  }
  w.groups = step.groups.size();
  std::uint64_t all = 0, squared = 0;
  for (const auto& s : step.sources) {
    all += s.elements.size();
    squared += s.kind == SourceKind::square ? s.elements.size() : 0;
  }
  std::vector<std::size_t> seen(step.pairs.size(), 0);  // by the part of this number, from 1
  std::size_t number = 0;
  for (const auto& task : tasks)
    for (const auto& part : independent_parts(step, task, n)) {
      ++number;
      std::uint64_t inputs = 0;
      std::size_t pairs = 0;
      for (const auto g : part)
        for (const auto p : step.groups[g].pairs) {
          if (seen[p] == number) continue;
          seen[p] = number;
          ++pairs;
          inputs += step.pairs[p].second == kAbsent ? 1 : 2;
        }
      const std::uint64_t slices =
          n / (w.adds_squares ? square_sum_columns(2 * pairs, n) : slice_part(step, part, pairs, n).columns);
      w.panel_inputs += inputs;
      w.squares += all ? inputs * squared / all : 0;
      w.slices += inputs * slices;
      w.calls += part.size() * slices;
    }
  return w;
}

std::vector<StepWork> scheduled_works(const ServerPlan& plan) {
  const std::size_t n = plan.client.params.n;
  std::vector<std::vector<Task>> tasks(plan.steps.size());
  for (const auto& task : plan.tasks) tasks[task.step].push_back(task);
  std::vector<StepWork> works;
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s) {
    const auto& step = plan.steps[s];
    const auto outputs = plan.values[step.output].elements;
    if (const auto reader = step.streamed ? possible_reader(plan, s) : kAbsent; reader != kAbsent)
      tasks[s] = band_tasks(s, shape_stream(step, plan.steps[reader], outputs, n));
    works.push_back(scheduled_work(step, outputs, tasks[s], n));
    works.back().streamed = step.streamed;
    works.back().reads_streamed = streamed_source(plan, s) != kAbsent;
  }
  return works;
}

// Operations of a step on its outputs, and on inputs that all of an input's rotations share.
ckks::OperationCost operations_of(const StepWork& w, const RingSize& ring) {
  const auto times = [](const ckks::OperationCost& c, std::uint64_t k) {
    return ckks::OperationCost{c.ntts * k, c.key_products * k, c.conversions * k, c.products * k,
                               c.permutations * k};
  };
  if (w.kind != StepKind::rotation) return times(finish_cost(w.finish, w.limbs, ring.special), w.outputs);
  return times(ckks::decompose_cost(w.limbs, ring.special), w.panel_inputs) +
         times(ckks::rotate_decomposed_cost(w.limbs, ring.special), w.outputs);
}

Work work_of(const StepWork& w, const RingSize& ring) {
  const auto n = static_cast<double>(ring.n), polys = static_cast<double>(w.polys);
  const auto limbs = static_cast<double>(w.limbs), outputs = static_cast<double>(w.outputs);
  int digits = 0;
  for (std::uint32_t l = 0; l < w.limbs; ++l) digits += ring.digits[l];
  const double thirds = digits / 3.0;  // limbs of three digits that cost as much
  const auto operations = operations_of(w, ring);

  Work work{};
  const auto at = [&](Term t) -> double& { return work[index(t)]; };
  const auto slices_of = [&](std::uint64_t widest) {
    at(Term::slices) = static_cast<double>(w.slices ? w.slices : w.panel_inputs * widest) * 2 * limbs;
  };
  if (w.adds_squares) {
    at(Term::square_sums) = static_cast<double>(w.lanes) * limbs * n;
    at(Term::recombinations) = outputs * n * polys * limbs;
    const std::uint64_t slices = ring.n / square_sum_columns(1, ring.n);
    slices_of(slices);
    at(Term::calls) = static_cast<double>(w.calls ? w.calls : w.groups * slices) * limbs;
  } else {
    at(Term::squares) = static_cast<double>(w.squares) * limbs * n;
  }
  if (w.kind == StepKind::affine && !w.adds_squares) {
    at(Term::multiply_adds) = static_cast<double>(w.lanes) * n * polys * thirds;
    at(Term::panel_reads) = static_cast<double>(w.panel_lanes) * n * polys * thirds;
    at(Term::splits) = static_cast<double>(w.panel_inputs) * n * polys * thirds;
    const std::uint64_t slices = ring.n / panel_columns(1, 1, ring.n);
    slices_of(slices);
    at(Term::calls) = static_cast<double>(w.calls ? w.calls : w.groups * slices) * polys * limbs;
    const std::uint64_t tiles = ring.n / kernels::kTile;
    at(Term::blocks) = static_cast<double>(w.blocks * tiles) * polys * limbs;
    at(Term::recombinations) = static_cast<double>(std::max(w.outputs, w.runs)) * n * polys * limbs;
  }
  if (w.periodic_products) {
    const double weights = static_cast<double>(w.periodic_products) * limbs, period = w.period;
    at(Term::periodic_products) = weights * polys * n;
    at(Term::run_reads) = static_cast<double>(w.run_inputs) * limbs * polys * n;
    at(Term::squares) += static_cast<double>(w.run_squares) * limbs * n;
    if (!w.kept_weights) at(Term::ntt_4096) += weights * period / 2 * std::log2(period);
  }
  at(ntt_term(ring.n)) += static_cast<double>(operations.ntts) * n / 2 * std::log2(n);
  at(Term::key_products) = static_cast<double>(operations.key_products) * n;
  at(Term::conversions) = static_cast<double>(operations.conversions) * n;
  at(Term::products) = static_cast<double>(operations.products) * n;
  at(Term::permutations) = static_cast<double>(operations.permutations) * n;
  // Whole inputs at a time where there is no affine map.
  at(w.kind != StepKind::affine ? Term::bytes : Term::slice_bytes) = static_cast<double>(bytes_read(w, ring));
  at(Term::bytes) += static_cast<double>(bytes_written(w, ring));
  // A parallel loop for the affine map and one for what finishes it.
  at(Term::tasks) =
      static_cast<double>(w.tasks) * (w.kind != StepKind::affine || w.finish == Finish::none ? 1 : 2);
  return work;
}

Work input_work(std::uint64_t elements, std::uint32_t limbs, std::size_t n) {
  Work work{};
  const double residues = static_cast<double>(elements) * limbs * static_cast<double>(n);
  work[index(Term::inputs)] = residues;
  return work;
}

StepCost cost_of(const StepWork& w, const RingSize& ring, const Rates& rates) {
  const auto operations = operations_of(w, ring);
  StepCost c;
  c.ntts = operations.ntts;
  c.key_products = operations.key_products;
  c.bytes = bytes_read(w, ring) + bytes_written(w, ring);
  if (w.kind == StepKind::affine && !w.adds_squares)
    c.multiply_adds = (w.lanes + w.periodic_products) * ring.n * w.polys * w.limbs;
  c.seconds = rates.seconds(work_of(w, ring));
  return c;
}

}  // namespace velum::plan
