#include "plan/schedule/run_products.h"

#include <algorithm>
#include <set>

namespace velum::plan {

std::size_t run_product_words(const Step& step, std::size_t group_begin, std::size_t group_end,
                              std::size_t blocks, std::size_t n) {
  std::size_t most = 0;
  for (auto g = group_begin; g < group_end; ++g) {
    const auto& group = step.groups[g];
    if (group.periodic_inputs.empty()) continue;
    const auto rows = run_row_block(group.rows, run_row_blocks(group.rows) - 1);  // no block has more
    const std::size_t height = rows.end - rows.begin;
    const auto s = slice_runs(group.periodic_inputs.size(), height, step.polys, blocks, n);
    // Weights, some being transformed, inputs, and zeros.
    most = std::max(most, s.inputs * height * blocks + run_transform_words(blocks) +
                              (s.inputs * step.polys + 1) * s.columns);
  }
  return most;
}

std::vector<WeightKind> weight_kinds(const Step& step) {
  std::vector<std::uint64_t> lifts;  // by input
  for (const auto& source : step.sources) lifts.insert(lifts.end(), source.elements.size(), source.lift);
  std::vector<WeightKind> kinds;
  kinds.reserve(step.groups.size());
  for (const auto& g : step.groups) {
    auto& kind = kinds.emplace_back(WeightKind{g.periodic_offset, g.rows, {}});
    kind.lifts.reserve(g.periodic_inputs.size());
    for (const auto i : g.periodic_inputs) kind.lifts.push_back(lifts[i]);
  }
  return kinds;
}

std::uint64_t kept_weight_bytes(const Step& step, std::size_t blocks, std::size_t n) {
  if (n > kLargestRingKept) return 0;
  std::set<WeightKind> kinds;
  std::uint64_t weights = 0;
  for (const auto& kind : weight_kinds(step))
    if (!kind.lifts.empty() && kinds.insert(kind).second) {
      weights += std::uint64_t{kind.lifts.size()} * kind.rows * blocks;
      if (weights > kKeptWeightBytes / (8 * std::uint64_t{step.limbs})) return 0;
    }
  return weights * step.limbs * 8;
}

}  // namespace velum::plan
