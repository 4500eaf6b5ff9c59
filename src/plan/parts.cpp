#include "plan/parts.h"

#include <algorithm>
#include <numeric>

#include "plan/memory.h"

namespace velum::plan {

std::vector<std::vector<std::uint32_t>> independent_parts(const Step& step, const Task& task, std::size_t n) {
  // Pairs that some group reads together have one root.
  std::vector<std::uint32_t> parent(step.pairs.size());
  std::iota(parent.begin(), parent.end(), 0u);
  const auto root = [&](std::uint32_t p) {
    while (parent[p] != p) p = parent[p] = parent[parent[p]];
    return p;
  };
  for (auto g = task.group_begin; g < task.group_end; ++g)
    for (const auto p : step.groups[g].pairs) parent[root(p)] = root(step.groups[g].pairs[0]);

  struct Component {
    std::vector<std::uint32_t> groups;
    std::size_t pairs = 0;
  };
  std::vector<Component> components;
  std::vector<std::uint32_t> place(step.pairs.size(), kAbsent);  // of the component, by root
  std::vector<bool> counted(step.pairs.size(), false);
  for (auto g = task.group_begin; g < task.group_end; ++g) {
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

  std::vector<std::vector<std::uint32_t>> parts;
  std::size_t pairs = 0;
  for (auto& c : components) {
    if (parts.empty() || panel_columns(pairs + c.pairs, step.polys, n) < std::min(kWideSlice, n)) {
      parts.emplace_back();
      pairs = 0;
    }
    pairs += c.pairs;
    parts.back().insert(parts.back().end(), c.groups.begin(), c.groups.end());
  }
  for (auto& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

}  // namespace velum::plan
