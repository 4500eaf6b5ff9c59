#include "engine/prepared_step.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plan/memory.h"

namespace velum::engine {

u64 round_to_residue(double x, const kernels::Modulus& m) {
  int exponent = 0;
  const double rounded = std::nearbyint(x);
  const double mantissa = std::frexp(std::fabs(rounded), &exponent);  // in [0.5, 1)
  u64 r = 0;
  if (exponent <= 63) {
    r = static_cast<u64>(std::fabs(rounded)) % m.q;
  } else {
    r = static_cast<u64>(std::ldexp(mantissa, 53)) % m.q;
    for (int i = 53; i < exponent; ++i) r = r * 2 % m.q;
  }
  return rounded < 0 && r != 0 ? m.q - r : r;
}

PreparedStep prepare_step(const plan::Step& step, std::size_t outputs, const ckks::Parameters& params) {
  PreparedStep p;
  p.step = &step;
  for (std::uint32_t s = 0; s < step.sources.size(); ++s) {
    const auto& source = step.sources[s];
    p.has_square |= source.kind == plan::SourceKind::square;
    for (const auto e : source.elements) p.inputs.push_back({source.value, e, source.kind, s});
  }
  const auto& ring = params.ring();
  for (const auto& source : step.sources)
    for (std::size_t l = 0; l < step.limbs; ++l)
      p.lift.push_back(kernels::make_factor(source.lift % ring.q(l), ring.modulus(l)));
  if (!step.bias.empty()) {
    p.bias.resize(step.limbs * outputs);
    for (std::size_t l = 0; l < step.limbs; ++l)
      for (std::size_t o = 0; o < outputs; ++o)
        p.bias[l * outputs + o] = round_to_residue(step.bias[o] * step.affine_scale, ring.modulus(l));
  }
  return p;
}

std::vector<std::vector<std::uint32_t>> independent_parts(const plan::Step& step, const plan::Task& task,
                                                          std::size_t n, std::size_t columns) {
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
  std::vector<std::uint32_t> place(step.pairs.size(), plan::kAbsent);  // of the component, by root
  std::vector<bool> counted(step.pairs.size(), false);
  for (auto g = task.group_begin; g < task.group_end; ++g) {
    auto& index = place[root(step.groups[g].pairs[0])];
    if (index == plan::kAbsent) {
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
    if (parts.empty() || plan::panel_columns(pairs + c.pairs, step.polys, n) < std::min(columns, n)) {
      parts.emplace_back();
      pairs = 0;
    }
    pairs += c.pairs;
    parts.back().insert(parts.back().end(), c.groups.begin(), c.groups.end());
  }
  for (auto& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

GroupInputs gather_inputs(const plan::Step& step, std::span<const std::uint32_t> groups) {
  GroupInputs t;
  std::vector<std::uint32_t> place(step.pairs.size(), plan::kAbsent);
  for (const auto g : groups)
    for (const auto pair : step.groups[g].pairs) place[pair] = 0;
  for (std::uint32_t pair = 0; pair < place.size(); ++pair) {
    if (place[pair] == plan::kAbsent) continue;
    place[pair] = static_cast<std::uint32_t>(t.pairs.size());
    t.pairs.push_back(pair);
  }
  for (const auto g : groups) {
    t.slot_begin.push_back(t.slots.size());
    for (const auto pair : step.groups[g].pairs) t.slots.push_back(place[pair]);
  }
  return t;
}

}  // namespace velum::engine
