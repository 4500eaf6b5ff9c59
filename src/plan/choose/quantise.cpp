#include "plan/choose/quantise.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

#include "base/parallel.h"
#include "ckks/core/periodic.h"
#include "kernels/types.h"

namespace velum::plan {

namespace {

constexpr std::uint64_t kRunLimit = 65535;

// Calls visit(row, pair, |w0| + |w1|) for all weights of a group.
template <typename Visit>
void for_each_pair(std::span<const std::int16_t> block, std::size_t rows, std::size_t pairs, Visit&& visit) {
  const auto* w = block.data();
  for (std::size_t b = 0; b < kernels::row_block_count(rows); ++b) {
    const auto [begin, end] = kernels::row_block(rows, b);
    for (std::size_t p = 0; p < pairs; ++p)
      for (auto r = begin; r < end; ++r, w += 2)
        visit(r, p,
              static_cast<std::uint64_t>(std::abs(int{w[0]})) +
                  static_cast<std::uint64_t>(std::abs(int{w[1]})));
  }
}

bool runs_fit(std::span<const std::int16_t> block, std::size_t rows, std::size_t pairs, std::size_t run) {
  std::vector<std::uint64_t> sums(rows * ((pairs + run - 1) / run));
  for_each_pair(block, rows, pairs,
                [&](std::size_t r, std::size_t p, std::uint64_t w) { sums[(p / run) * rows + r] += w; });
  return std::all_of(sums.begin(), sums.end(), [](std::uint64_t s) { return s <= kRunLimit; });
}

// Weights by block, as coefficients of plaintexts of period P: [input][row][P] for each group.
void quantise_periodic(const Network& net, const PackedStage& packed,
                       const std::vector<double>& factor_of_range, Step& step) {
  step.periodic.clear();
  const std::size_t blocks = net.blocks;
  if (blocks == 1) return;
  const auto& stage = net.stages[packed.vector - 1];
  const ckks::PeriodicEncoder encoder(blocks);
  std::size_t total = 0;
  for (auto& group : step.groups) {
    group.periodic_offset = total;
    total += group.periodic_inputs.size() * group.rows * blocks;
  }
  step.periodic.resize(total, 0);
  parallel_for(step.groups.size(), [&](std::size_t g, int) {
    const auto& group = step.groups[g];
    std::vector<float> read(blocks);
    std::vector<double> weights(blocks), scratch(2 * blocks);
    const auto support = net.supports[stage.periodic_rows[group.first_output].support];
    auto place = std::span(step.periodic).subspan(group.periodic_offset);
    for (std::size_t c = 0; c < support.size(); ++c) {
      const double factor = factor_of_range[net.columns.index_of(support[c])];
      for (std::uint32_t r = 0; r < group.rows; ++r, place = place.subspan(blocks)) {
        stage.periodic.read(stage.periodic_rows[group.first_output + r].weights, c, read);
        std::ranges::copy(read, weights.begin());
        // |coefficient| <= factor max|w| + 1/2, which assign_scales holds below the largest weight.
        encoder.encode(place.first(blocks), weights, factor, scratch);
      }
    }
  });
}

}  // namespace

std::uint32_t longest_run(std::span<const std::int16_t> block, std::size_t rows, std::size_t pairs) {
  for (std::size_t parts = 1; parts < pairs; ++parts) {
    const std::size_t run = (pairs + parts - 1) / parts;
    if (runs_fit(block, rows, pairs, run)) return static_cast<std::uint32_t>(run);
  }
  return 1;  // two weights of a pair are 65534 at most
}

void quantise(const Network& net, const PackedStage& packed, const std::vector<double>& factor, Step& step) {
  const auto& stage = net.stages[packed.vector - 1];
  std::vector<double> factor_of_range(net.columns.ranges().size(), 0.0);
  for (std::size_t r = 0; r < factor_of_range.size(); ++r)
    for (std::size_t s = 0; s < packed.sources.size(); ++s)
      if (packed.sources[s].vector == net.columns.ranges()[r].vector &&
          packed.sources[s].kind == net.columns.ranges()[r].kind &&
          packed.sources[s].shift == net.columns.ranges()[r].shift)
        factor_of_range[r] = factor[s];
  std::vector<std::uint32_t> lane_of(packed.inputs.size());  // pair * 2 + member
  for (std::uint32_t p = 0; p < packed.pairs.size(); ++p) {
    lane_of[packed.pairs[p].first] = 2 * p;
    if (packed.pairs[p].second != kAbsent) lane_of[packed.pairs[p].second] = 2 * p + 1;
  }

  step.groups = packed.groups;
  step.weights.clear();
  std::unordered_multimap<std::uint64_t, const Group*> stored;
  std::vector<std::int16_t> block;
  std::vector<std::uint32_t> lane;  // of each column of the support, within the group
  std::vector<double> column_factor;
  quantise_periodic(net, packed, factor_of_range, step);
  for (auto& group : step.groups) {
    if (group.pairs.empty()) continue;
    const auto support = net.supports[stage.rows[group.first_output].support];
    const std::size_t pairs = group.pairs.size();
    lane.clear();
    column_factor.clear();
    for (const auto c : support) {
      const auto input =
          std::lower_bound(packed.inputs.begin(), packed.inputs.end(), c) - packed.inputs.begin();
      const auto full = lane_of[static_cast<std::size_t>(input)];
      const auto place =
          std::lower_bound(group.pairs.begin(), group.pairs.end(), full / 2) - group.pairs.begin();
      lane.push_back(static_cast<std::uint32_t>(place) * 2 + full % 2);
      column_factor.push_back(factor_of_range[net.columns.index_of(c)]);
    }
    block.assign(std::size_t{group.rows} * pairs * 2, 0);
    group.row_l1 = 0;
    for (std::size_t b = 0; b < kernels::row_block_count(group.rows); ++b) {
      const auto [begin, end] = kernels::row_block(group.rows, b);
      auto* base = block.data() + begin * pairs * 2;
      for (auto r = begin; r < end; ++r) {
        const float* w = stage.weights.data() + stage.rows[group.first_output + r].weights;
        std::uint64_t l1 = 0;
        for (std::size_t c = 0; c < support.size(); ++c) {
          const auto q = static_cast<std::int16_t>(std::clamp<double>(
              std::nearbyint(static_cast<double>(w[c]) * column_factor[c]), -kLargestWeight, kLargestWeight));
          base[(lane[c] / 2 * (end - begin) + (r - begin)) * 2 + lane[c] % 2] = q;
          l1 += static_cast<std::uint64_t>(std::abs(int{q}));
        }
        group.row_l1 = std::max(group.row_l1, l1);
      }
    }
    const auto hash = std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(block.data()), block.size() * sizeof(block[0])});
    const Group* same = nullptr;
    for (auto [it, last] = stored.equal_range(hash); it != last && !same; ++it) {
      const auto& other = *it->second;
      if (other.rows == group.rows && other.pairs.size() == pairs &&
          std::equal(block.begin(), block.end(),
                     step.weights.begin() + static_cast<std::ptrdiff_t>(other.weight_offset)))
        same = &other;
    }
    if (same) {
      group.weight_offset = same->weight_offset;
      group.run_pairs = same->run_pairs;
      continue;
    }
    group.weight_offset = step.weights.size();
    group.run_pairs = longest_run(block, group.rows, pairs);
    step.weights.insert(step.weights.end(), block.begin(), block.end());
    stored.emplace(hash, &group);
  }
}

}  // namespace velum::plan
