#include "plan/layout/rotation_counter.h"

#include <set>
#include <utility>

#include "plan/layout/block_links.h"

namespace velum::plan {

using namespace blocks;

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
  std::set<std::tuple<std::size_t, std::int32_t, std::uint32_t>> rotated;
  std::set<std::pair<std::size_t, std::uint32_t>> inputs;
  for (const auto& kind : kinds_) {
    std::set<std::int32_t> giants;
    for (const auto& [range, ciphertext, rotation] : kind.links) {
      const auto split = split_rotation(rotation, giant);
      giants.insert(split.giant);
      if (split.baby == 0) continue;
      rotated.emplace(range, split.baby, ciphertext);
      inputs.emplace(range, ciphertext);
    }
    n.products += kind.links.size() * kind.outputs;
    n.partials += giants.size() * kind.outputs;
    n.giants += (giants.size() - giants.count(0)) * kind.outputs;
  }
  n.rotated = rotated.size();
  n.inputs = inputs.size();
  return n;
}

}  // namespace velum::plan
