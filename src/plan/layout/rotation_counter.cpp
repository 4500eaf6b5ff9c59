#include "plan/layout/rotation_counter.h"

#include <algorithm>
#include <set>
#include <utility>

#include "plan/layout/block_links.h"

namespace velum::plan {

using namespace blocks;

namespace {

template <typename T>
std::uint64_t count_distinct(std::vector<T>& all) {
  std::sort(all.begin(), all.end());
  return static_cast<std::uint64_t>(std::unique(all.begin(), all.end()) - all.begin());
}

}  // namespace

RotationCounter::RotationCounter(const Network& net, const std::vector<BlockLayout>& layouts,
                                 std::size_t index) {
  const auto patterns = patterns_of(net.stages[index], layouts[index + 1]);
  for (std::size_t i = 0; i < patterns.supports.size(); ++i) {
    auto& kind = kinds_.emplace_back();
    for (const auto& link : find_links(net, layouts, patterns.supports[i]).links)
      kind.links.push_back({link.range, link.ciphertext, link.rotation});
    kind.outputs = patterns.ciphertexts[i].size();
  }
}

StageRotations RotationCounter::count(std::uint32_t giant) const {
  StageRotations n;
  std::vector<std::tuple<std::size_t, std::int32_t, std::uint32_t>> rotated;
  std::vector<std::pair<std::size_t, std::uint32_t>> inputs;
  for (const auto& kind : kinds_) {
    std::set<std::int32_t> giants;
    for (const auto& [range, ciphertext, rotation] : kind.links) {
      const auto split = split_rotation(rotation, giant);
      giants.insert(split.giant);
      if (split.baby == 0) continue;
      rotated.emplace_back(range, split.baby, ciphertext);
      inputs.emplace_back(range, ciphertext);
    }
    n.products += kind.links.size() * kind.outputs;
    n.partials += giants.size() * kind.outputs;
    n.giants += (giants.size() - giants.count(0)) * kind.outputs;
  }
  n.rotated = count_distinct(rotated);
  n.inputs = count_distinct(inputs);
  return n;
}

}  // namespace velum::plan
