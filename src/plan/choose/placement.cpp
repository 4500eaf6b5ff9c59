#include "plan/choose/placement.h"

#include <algorithm>
#include <map>

#include "kernels/types.h"

namespace velum::plan {

namespace {

// Whether it reads sums of three polynomials.
bool reads_sums(const PackedStage& stage, const Levels& levels, const Placement& p) {
  return std::any_of(stage.sources.begin(), stage.sources.end(), [&](const auto& s) {
    return s.kind == SourceKind::plain && levels.vector_degree[s.vector] == 2 &&
           !p.sums_relinearised[s.vector - 1];
  });
}

StepWork stage_work(const PackedStage& stage, const Levels& levels, const Placement& p) {
  const auto form = form_of(stage, levels, p);
  StepWork w;
  w.lanes = stage.lanes;
  w.panel_lanes = stage.panel_lanes;
  w.groups = stage.groups.size();
  w.blocks = stage.row_blocks;
  w.periodic_products = stage.periodic_products;
  w.period = stage.blocks;
  w.run_inputs = stage.run_inputs;
  w.panel_inputs = stage.input_count();
  if (!p.squares_first[stage.vector - 1])
    for (const auto& s : stage.sources) w.squares += s.kind == SourceKind::square ? s.elements.size() : 0;
  w.adds_squares = stage.sum_steps == 1 && !p.squares_first[stage.vector - 1] &&
                   std::all_of(stage.sources.begin(), stage.sources.end(),
                               [](const auto& s) { return s.kind == SourceKind::square; });
  w.outputs = stage.sums;
  w.polys = form.polys;
  w.limbs = levels.stages[stage.vector - 1].limbs;
  w.finish = form.finish;
  return w;
}

StepWork square_work(std::uint64_t elements, std::uint32_t limbs) {
  StepWork w;
  w.kind = StepKind::squares;
  w.squares = w.outputs = w.panel_inputs = elements;
  w.polys = 3;
  w.limbs = limbs;
  w.finish = Finish::relinearise;
  return w;
}

StepWork rotation_work(std::uint64_t decomposed, std::uint64_t rotated, std::uint32_t limbs) {
  StepWork w;
  w.kind = StepKind::rotation;
  w.panel_inputs = decomposed;
  w.outputs = rotated;
  w.limbs = limbs;
  return w;
}

// The sum of a stage's partial sums.
StepWork sum_work(const PackedStage& stage, const Levels& levels, const Placement& p) {
  StepWork w;
  w.lanes = w.panel_lanes = stage.sums;
  w.panel_inputs = stage.sums;
  w.groups = w.blocks = w.outputs = stage.outputs;
  w.limbs = levels.stages[stage.vector - 1].limbs;
  w.finish = form_of(stage, levels, p).sum_finish;
  return w;
}

// All that a stage does, but for squares that are relinearised before it.
std::vector<PlacedWork> works_of(const PackedStage& stage, const Levels& levels, const Placement& p) {
  const std::size_t i = stage.vector - 1;
  const auto limbs = levels.stages[i].limbs;
  std::vector<PlacedWork> all;
  if (stage.rotated > 0)
    all.push_back({i, kAbsent, true, rotation_work(stage.decomposed, stage.rotated, limbs)});
  all.push_back({i, kAbsent, false, stage_work(stage, levels, p)});
  if (stage.rotated_sums > 0)
    all.push_back({i, kAbsent, true, rotation_work(stage.rotated_sums, stage.rotated_sums, limbs)});
  if (stage.partial()) all.push_back({i, kAbsent, false, sum_work(stage, levels, p)});
  return all;
}

double seconds_of(const PackedStage& stage, const Levels& levels, const Placement& p, const RingSize& ring,
                  const Rates& rates) {
  double seconds = 0;
  for (const auto& w : works_of(stage, levels, p)) seconds += cost_of(w.work, ring, rates).seconds;
  return seconds;
}

// Whether some stage reads rotated elements of this vector as they are.
bool rotated_plain(const std::vector<PackedStage>& stages, std::uint32_t vector) {
  return std::any_of(stages.begin(), stages.end(), [&](const auto& stage) {
    return std::any_of(stage.sources.begin(), stage.sources.end(), [&](const auto& s) {
      return s.vector == vector && s.kind == SourceKind::plain && s.shift != 0;
    });
  });
}

}  // namespace

RingSize ring_before_primes(std::size_t n, std::size_t special, std::size_t limbs) {
  return {n, special, std::vector<int>(limbs, kernels::kMostDigits)};
}

StageForm form_of(const PackedStage& stage, const Levels& levels, const Placement& p) {
  const std::size_t i = stage.vector - 1;
  StageForm form;
  form.polys = (stage.squares() && !p.squares_first[i]) || reads_sums(stage, levels, p) ? 3 : 2;
  if (levels.stages[i].rescales)
    form.finish = form.polys == 3 ? Finish::relinearise_rescale : Finish::rescale;
  if (p.sums_relinearised[i]) form.finish = Finish::relinearise;
  if (stage.partial()) {
    form.sum_finish = levels.stages[i].rescales ? Finish::rescale : Finish::none;
    form.finish = form.polys == 3 ? Finish::relinearise : Finish::none;
  }
  return form;
}

Placement place_relinearisation(const std::vector<PackedStage>& stages, const Levels& levels, std::size_t n,
                                std::size_t special, const Rates& rates) {
  const RingSize ring = ring_before_primes(n, special, levels.limbs);
  Placement p;
  p.squares_first.assign(stages.size(), false);
  p.sums_relinearised.assign(stages.size(), false);
  p.squared.resize(stages.size() + 1);
  // Sums of squares: relinearised themselves, or left to those who read them.
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].sum_steps == 0) continue;
    const auto seconds = [&] {
      double sum = 0;
      for (const auto& stage : stages)
        if (&stage == &stages[i] || std::any_of(stage.sources.begin(), stage.sources.end(),
                                                [&](const auto& s) { return s.vector == i + 1; }))
          sum += seconds_of(stage, levels, p, ring, rates);
      return sum;
    };
    const double left = seconds();
    p.sums_relinearised[i] = true;
    if (seconds() >= left && !rotated_plain(stages, static_cast<std::uint32_t>(i + 1)))
      p.sums_relinearised[i] = false;
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto& stage = stages[i];
    const bool may = levels.stages[i].rescales || stage.partial();
    if (!may || !stage.squares() || reads_sums(stage, levels, p)) continue;
    const double after = seconds_of(stage, levels, p, ring, rates);
    p.squares_first[i] = true;
    double before = seconds_of(stage, levels, p, ring, rates);
    p.squares_first[i] = false;
    std::map<std::uint32_t, std::vector<std::uint32_t>> read,
        fresh;  // squares: all, and still to be relinearised
    for (const auto& s : stage.sources)
      if (s.kind == SourceKind::square)
        read[s.vector].insert(read[s.vector].end(), s.elements.begin(), s.elements.end());
    for (auto& [vector, elements] : read) {
      std::sort(elements.begin(), elements.end());
      elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
      auto& missing = fresh[vector];
      std::set_difference(elements.begin(), elements.end(), p.squared[vector].begin(),
                          p.squared[vector].end(), std::back_inserter(missing));
      before += cost_of(square_work(missing.size(), levels.vector_limbs[vector]), ring, rates).seconds;
    }
    if (before >= after) continue;
    p.squares_first[i] = true;
    for (auto& [vector, elements] : fresh) {
      auto& all = p.squared[vector];
      all.insert(all.end(), elements.begin(), elements.end());
      std::sort(all.begin(), all.end());
    }
  }
  for (std::size_t i = 0; i < stages.size(); ++i)
    if (const auto finish = form_of(stages[i], levels, p).finish;
        finish == Finish::relinearise || finish == Finish::relinearise_rescale)
      p.key_limbs = std::max(p.key_limbs, levels.stages[i].limbs);
  for (std::size_t v = 0; v < p.squared.size(); ++v)
    if (!p.squared[v].empty()) p.key_limbs = std::max(p.key_limbs, levels.vector_limbs[v]);
  p.switch_limbs = p.key_limbs;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].rotated_sums > 0) p.switch_limbs = std::max(p.switch_limbs, levels.stages[i].limbs);
    for (const auto& s : stages[i].sources)
      if (s.shift != 0) p.switch_limbs = std::max(p.switch_limbs, levels.vector_limbs[s.vector]);
  }
  return p;
}

std::vector<PlacedWork> placed_work(const std::vector<PackedStage>& stages, const Levels& levels,
                                    const Placement& placement) {
  std::vector<PlacedWork> all;
  std::vector<bool> squared(stages.size() + 1, false);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (placement.squares_first[i])
      for (const auto& s : stages[i].sources) {
        if (s.kind != SourceKind::square || squared[s.vector]) continue;
        squared[s.vector] = true;
        all.push_back({i, s.vector, false,
                       square_work(placement.squared[s.vector].size(), levels.vector_limbs[s.vector])});
      }
    for (auto& w : works_of(stages[i], levels, placement)) all.push_back(w);
  }
  return all;
}

}  // namespace velum::plan
