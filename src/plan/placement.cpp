#include "plan/placement.h"

#include <algorithm>

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
  w.blocks = stage.blocks;
  w.panel_inputs = stage.input_count();
  if (!p.squares_first[stage.vector - 1])
    for (const auto& s : stage.sources) w.squares += s.kind == SourceKind::square ? s.elements.size() : 0;
  w.adds_squares = stage.sum_steps == 1 && !p.squares_first[stage.vector - 1] &&
                   std::all_of(stage.sources.begin(), stage.sources.end(),
                               [](const auto& s) { return s.kind == SourceKind::square; });
  w.outputs = stage.outputs;
  w.polys = form.polys;
  w.limbs = levels.stages[stage.vector - 1].limbs;
  w.finish = form.finish;
  return w;
}

StepWork square_work(std::uint64_t elements, std::uint32_t limbs) {
  StepWork w;
  w.identity = true;
  w.squares = w.outputs = w.panel_inputs = elements;
  w.polys = 3;
  w.limbs = limbs;
  w.finish = Finish::relinearise;
  return w;
}

}  // namespace

StageForm form_of(const PackedStage& stage, const Levels& levels, const Placement& p) {
  const std::size_t i = stage.vector - 1;
  StageForm form;
  form.polys = (stage.squares() && !p.squares_first[i]) || reads_sums(stage, levels, p) ? 3 : 2;
  if (levels.stages[i].rescales)
    form.finish = form.polys == 3 ? Finish::relinearise_rescale : Finish::rescale;
  if (p.sums_relinearised[i]) form.finish = Finish::relinearise;
  return form;
}

Placement place_relinearisation(const std::vector<PackedStage>& stages, const Levels& levels, std::size_t n,
                                std::size_t special, const Rates& rates) {
  const RingSize ring{n, special, std::vector<int>(levels.limbs, 3)};
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
          sum += cost_of(stage_work(stage, levels, p), ring, rates).seconds;
      return sum;
    };
    const double left = seconds();
    p.sums_relinearised[i] = true;
    if (seconds() >= left) p.sums_relinearised[i] = false;
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto& stage = stages[i];
    if (!levels.stages[i].rescales || !stage.squares() || reads_sums(stage, levels, p)) continue;
    const double after = cost_of(stage_work(stage, levels, p), ring, rates).seconds;
    p.squares_first[i] = true;
    double before = cost_of(stage_work(stage, levels, p), ring, rates).seconds;
    p.squares_first[i] = false;
    std::vector<std::pair<std::uint32_t, std::vector<std::uint32_t>>>
        fresh;  // squares still to be relinearised
    for (const auto& s : stage.sources) {
      if (s.kind != SourceKind::square) continue;
      std::vector<std::uint32_t> missing;
      std::set_difference(s.elements.begin(), s.elements.end(), p.squared[s.vector].begin(),
                          p.squared[s.vector].end(), std::back_inserter(missing));
      before += cost_of(square_work(missing.size(), levels.vector_limbs[s.vector]), ring, rates).seconds;
      fresh.emplace_back(s.vector, std::move(missing));
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
        all.push_back(
            {i, s.vector, square_work(placement.squared[s.vector].size(), levels.vector_limbs[s.vector])});
      }
    all.push_back({i, kAbsent, stage_work(stages[i], levels, placement)});
  }
  return all;
}

}  // namespace velum::plan
