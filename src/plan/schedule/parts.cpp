#include "plan/schedule/parts.h"

#include <algorithm>
#include <numeric>

#include "plan/schedule/memory.h"

namespace velum::plan {

bool adds_squares(const Step& step) {
  if (elementwise(step) || step.sources.empty()) return false;
  for (const auto& s : step.sources)
    if (s.kind != SourceKind::square) return false;
  for (const auto& g : step.groups) {
    if (g.rows != 1 || !g.periodic_inputs.empty()) return false;
    bool any = false;
    const auto* w = step.weights.data() + g.weight_offset;
    for (std::size_t k = 0; k < 2 * g.pairs.size(); ++k) {
      if (w[k] < -1 || w[k] > 1) return false;
      any |= w[k] != 0;
    }
    if (!any) return false;
  }
  return true;
}

std::vector<Part> independent_parts(const Step& step, const Task& task, std::size_t n) {
  // Pairs that some group reads together have one root.
  std::vector<std::uint32_t> parent(step.pairs.size());
  std::iota(parent.begin(), parent.end(), 0u);
  const auto root = [&](std::uint32_t p) {
    while (parent[p] != p) p = parent[p] = parent[parent[p]];
    return p;
  };
  for (auto g = task.group_begin; g < task.group_end; ++g)
    for (const auto p : step.groups[g].pairs) parent[root(p)] = root(step.groups[g].pairs[0]);
  // Groups whose weights are all by block read no pair; they are one component, the first.

  struct Component {
    std::vector<std::uint32_t> groups;
    std::size_t pairs = 0;
  };
  std::vector<Component> components;
  std::vector<std::uint32_t> place(step.pairs.size(), kAbsent);  // of the component, by root
  std::vector<bool> counted(step.pairs.size(), false);
  Component unpaired;
  for (auto g = task.group_begin; g < task.group_end; ++g)
    if (step.groups[g].pairs.empty()) unpaired.groups.push_back(g);
  if (!unpaired.groups.empty()) components.push_back(std::move(unpaired));
  for (auto g = task.group_begin; g < task.group_end; ++g) {
    if (step.groups[g].pairs.empty()) continue;
    auto& index = place[root(step.groups[g].pairs[0])];
    if (index == kAbsent) {
      index = static_cast<std::uint32_t>(components.size());
      components.emplace_back();
    }
    components[index].groups.push_back(g);
    for (const auto p : step.groups[g].pairs) {
      components[index].pairs += counted[p] ? 0 : 1;
      counted[p] = true;
    }
  }

  std::vector<Part> parts;
  const bool alone = adds_squares(step);
  std::size_t pairs = 0;
  for (auto& c : components) {
    if (parts.empty() || alone || panel_columns(pairs + c.pairs, step.polys, n) < std::min(kWideSlice, n)) {
      parts.emplace_back();
      pairs = 0;
    }
    pairs += c.pairs;
    parts.back().insert(parts.back().end(), c.groups.begin(), c.groups.end());
  }
  for (auto& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

namespace {

constexpr std::size_t kMostChunkedRows = 128;  // whose two sums stay near beside the panel

}  // namespace

Slicing slice_part(const Step& step, const Part& part, std::size_t pairs, std::size_t n) {
  Slicing s;
  s.columns = panel_columns(pairs, step.polys, n);
  s.cuts = {0, pairs};
  const auto wide = std::min(kWideSlice, n);
  if (s.columns >= wide || part.size() != 1 || step.groups[part[0]].rows > kMostChunkedRows) return s;
  std::size_t most = 1;  // pairs whose panel leaves slices wide
  while (panel_columns(most * 2, step.polys, n) >= wide) most *= 2;
  while (panel_columns(most + 1, step.polys, n) >= wide) ++most;
  s.columns = wide;
  s.cuts = cut_pairs(step.groups[part[0]].run_pairs, pairs, most);
  return s;
}

std::vector<std::size_t> cut_pairs(std::size_t run, std::size_t pairs, std::size_t most) {
  std::vector<std::size_t> cuts = {0};
  while (cuts.back() < pairs) {
    const std::size_t begin = cuts.back();
    const std::size_t end =
        run <= most ? begin + most / run * run : std::min(begin + most, (begin / run + 1) * run);
    cuts.push_back(std::min(end, pairs));
  }
  return cuts;
}

std::size_t slice_words(const Step& step, const Part& part, std::size_t pairs, std::size_t n) {
  const auto s = slice_part(step, part, pairs, n);
  std::size_t most = 0;
  for (std::size_t c = 0; c + 1 < s.cuts.size(); ++c) most = std::max(most, s.cuts[c + 1] - s.cuts[c]);
  const std::size_t sums = s.chunked() ? (step.polys + 1) * step.groups[part[0]].rows * s.columns : 0;
  return (slice_bytes(s.columns) + panel_bytes(most, step.polys, s.columns)) / 8 + sums;
}

std::vector<std::vector<Part>> finish_batches(const Step& step, const Task& task, std::size_t n) {
  std::vector<std::vector<Part>> batches;
  std::uint64_t bytes = 0;
  for (auto& part : independent_parts(step, task, n)) {
    const auto more = unfinished_bytes(step, std::span(&part, 1), n);
    if (batches.empty() || bytes + more > kUnfinishedBudget) {
      batches.emplace_back();
      bytes = 0;
    }
    bytes += more;
    batches.back().push_back(std::move(part));
  }
  return batches;
}

std::uint64_t unfinished_bytes(const Step& step, std::span<const Part> parts, std::size_t n) {
  if (elementwise(step) || step.finish == Finish::none) return 0;
  std::uint64_t outputs = 0;
  for (const auto& part : parts)
    for (const auto g : part) outputs += step.groups[g].rows;
  return outputs * step.polys * step.limbs * n * 8;
}

}  // namespace velum::plan
