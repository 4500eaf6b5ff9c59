#include "plan/emit/emit_parts.h"

#include <algorithm>
#include <map>
#include <utility>

namespace velum::plan {

namespace {

std::vector<StepInput> inputs_of(const Step& whole) {
  std::vector<StepInput> all;
  for (std::size_t s = 0; s < whole.sources.size(); ++s)
    for (const auto e : whole.sources[s].elements) all.push_back({s, e});
  return all;
}

// Numbers of the inputs that the groups read, ascending.
std::vector<std::uint32_t> numbers_read(const Step& whole, std::size_t begin, std::size_t end) {
  std::vector<std::uint32_t> all;
  for (auto g = begin; g < end; ++g) {
    for (const auto p : whole.groups[g].pairs)
      for (const auto i : {whole.pairs[p].first, whole.pairs[p].second})
        if (i != kAbsent) all.push_back(i);
    all.insert(all.end(), whole.groups[g].periodic_inputs.begin(), whole.groups[g].periodic_inputs.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// The sources of a part, and its number of each input of the whole step.
class PartInputs {
 public:
  PartInputs(const Step& whole, std::size_t begin, std::size_t end, const Resolve& resolve) {
    const auto all = inputs_of(whole);
    using Place = std::pair<std::size_t, std::uint32_t>;                            // source, value
    std::map<Place, std::vector<std::pair<std::uint32_t, std::uint32_t>>> members;  // element, input
    for (const auto i : numbers_read(whole, begin, end)) {
      const auto copy = resolve(all[i]);
      members[{all[i].source, copy.value}].emplace_back(copy.element, i);
    }
    number_.assign(all.size(), kAbsent);
    std::uint32_t next = 0;
    for (const auto& [place, elements] : members) {
      const auto& from = whole.sources[place.first];
      Source source{place.second, from.kind, from.lift, {}};
      for (const auto& [element, input] : elements) {
        source.elements.push_back(element);
        number_[input] = next++;
      }
      sources.push_back(std::move(source));
    }
  }

  std::uint32_t number(std::uint32_t input) const { return input == kAbsent ? kAbsent : number_[input]; }

  std::vector<Source> sources;

 private:
  std::vector<std::uint32_t> number_;
};

}  // namespace

std::vector<StepInput> inputs_read(const Step& whole, std::size_t begin, std::size_t end) {
  const auto all = inputs_of(whole);
  std::vector<StepInput> read;
  for (const auto i : numbers_read(whole, begin, end)) read.push_back(all[i]);
  return read;
}

Step part_of(const Step& whole, std::size_t begin, std::size_t end, std::size_t blocks,
             const Resolve& resolve) {
  Step part;
  part.name = whole.name;
  part.limbs = whole.limbs;
  part.affine_scale = whole.affine_scale;
  PartInputs inputs(whole, begin, end, resolve);
  part.sources = std::move(inputs.sources);
  std::vector<std::uint32_t> pair_number(whole.pairs.size(), kAbsent);
  for (auto g = begin; g < end; ++g)
    for (const auto p : whole.groups[g].pairs) pair_number[p] = 0;
  for (std::size_t p = 0; p < whole.pairs.size(); ++p) {
    if (pair_number[p] == kAbsent) continue;
    pair_number[p] = static_cast<std::uint32_t>(part.pairs.size());
    part.pairs.push_back({inputs.number(whole.pairs[p].first), inputs.number(whole.pairs[p].second)});
  }
  std::map<std::uint64_t, std::uint64_t> moved;  // weights that several groups share
  const auto first = whole.groups[begin].first_output;
  for (auto g = begin; g < end; ++g) {
    auto group = whole.groups[g];
    group.first_output -= first;
    for (auto& p : group.pairs) p = pair_number[p];
    if (!group.pairs.empty()) {
      const auto [it, fresh] = moved.try_emplace(group.weight_offset, part.weights.size());
      if (fresh) {
        const auto from = whole.weights.begin() + static_cast<std::ptrdiff_t>(group.weight_offset);
        part.weights.insert(part.weights.end(), from,
                            from + static_cast<std::ptrdiff_t>(group.rows * group.pairs.size() * 2));
      }
      group.weight_offset = it->second;
    }
    // Inputs ascend in the part too: weights follow them where sources were taken apart.
    const std::size_t each = group.rows * blocks;
    std::vector<std::pair<std::uint32_t, std::size_t>> order;
    for (std::size_t k = 0; k < group.periodic_inputs.size(); ++k)
      order.emplace_back(inputs.number(group.periodic_inputs[k]), group.periodic_offset + k * each);
    std::sort(order.begin(), order.end());
    group.periodic_offset = part.periodic.size();
    for (std::size_t k = 0; k < order.size(); ++k) {
      group.periodic_inputs[k] = order[k].first;
      const auto from = whole.periodic.begin() + static_cast<std::ptrdiff_t>(order[k].second);
      part.periodic.insert(part.periodic.end(), from, from + static_cast<std::ptrdiff_t>(each));
    }
    part.groups.push_back(std::move(group));
  }
  return part;
}

std::vector<std::uint32_t> united_elements(const std::vector<Addend>& addends) {
  std::vector<std::uint32_t> all;
  for (const auto& a : addends) all.insert(all.end(), a.elements.begin(), a.elements.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Step sum_of(const std::vector<Addend>& addends, const std::vector<std::uint32_t>& elements) {
  Step sum;
  std::vector<std::vector<std::uint32_t>> terms(elements.size());
  std::uint32_t input = 0;
  for (const auto& a : addends) {
    Source source{a.value, SourceKind::plain, 1, {}};
    for (std::uint32_t i = 0; i < a.elements.size(); ++i) {
      source.elements.push_back(a.first + i);
      const auto at = std::lower_bound(elements.begin(), elements.end(), a.elements[i]) - elements.begin();
      terms[static_cast<std::size_t>(at)].push_back(input++);
    }
    sum.sources.push_back(std::move(source));
  }
  for (std::uint32_t o = 0; o < terms.size(); ++o) {
    Group g;
    g.first_output = o;
    g.rows = 1;
    g.weight_offset = sum.weights.size();
    for (std::size_t k = 0; k < terms[o].size(); k += 2) {
      const bool both = k + 1 < terms[o].size();
      g.pairs.push_back(static_cast<std::uint32_t>(sum.pairs.size()));
      sum.pairs.push_back({terms[o][k], both ? terms[o][k + 1] : kAbsent});
      sum.weights.push_back(1);
      sum.weights.push_back(both ? 1 : 0);
    }
    g.run_pairs = static_cast<std::uint32_t>(std::min<std::size_t>(g.pairs.size(), 32767));
    g.row_l1 = terms[o].size();
    sum.groups.push_back(std::move(g));
  }
  return sum;
}

}  // namespace velum::plan
