#include "plan/schedule/run_products.h"

#include <algorithm>
#include <set>
#include <tuple>

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

std::uint64_t kept_weight_bytes(const Step& step, std::size_t blocks, std::size_t n) {
  if (n > kLargestRingKept) return 0;
  std::set<std::tuple<std::uint64_t, std::size_t, std::uint32_t>> kinds;
  std::uint64_t weights = 0;
  for (const auto& g : step.groups)
    if (!g.periodic_inputs.empty() &&
        kinds.insert({g.periodic_offset, g.periodic_inputs.size(), g.rows}).second) {
      weights += std::uint64_t{g.periodic_inputs.size()} * g.rows * blocks;
      if (weights > kKeptWeightBytes / (8 * std::uint64_t{step.limbs})) return 0;
    }
  return weights * step.limbs * 8;
}

}  // namespace velum::plan
