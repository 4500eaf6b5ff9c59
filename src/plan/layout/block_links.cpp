#include "plan/layout/block_links.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "base/error.h"

namespace velum::plan::blocks {

namespace {

Place nearest(std::span<const Place> places, std::uint32_t block) {
  if (places.size() == 1) return places[0];
  const auto distance = [&](const Place& a) {
    return std::abs(static_cast<std::int64_t>(a.block) - static_cast<std::int64_t>(block));
  };
  return *std::min_element(places.begin(), places.end(),
                           [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
}

// Numbers for keys, in the order in which they come: an open table, as large networks have hundreds of
// millions of uses to look up.
class Numbers {
 public:
  Numbers() { clear(1u << 10); }
  // The key's number, and whether it is new.
  std::pair<std::uint32_t, bool> number(std::uint64_t key) {
    if (2 * keys_.size() >= slots_.size()) grow();
    auto& slot = slots_[place(key)];
    if (slot != kAbsent) return {slot, false};
    slot = static_cast<std::uint32_t>(keys_.size());
    keys_.push_back(key);
    return {slot, true};
  }

 private:
  void clear(std::size_t size) {
    slots_.assign(size, kAbsent);
    shift_ = 64 - static_cast<unsigned>(std::countr_zero(size));
  }
  // Where the key is, or would go. Multiplicative hashing (Knuth, volume 3, 6.4).
  std::size_t place(std::uint64_t key) const {
    auto at = static_cast<std::size_t>((key * 0x9e3779b97f4a7c15) >> shift_);
    while (slots_[at] != kAbsent && keys_[slots_[at]] != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow() {
    clear(2 * slots_.size());
    for (std::uint32_t i = 0; i < keys_.size(); ++i) slots_[place(keys_[i])] = i;
  }

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> slots_;  // a power of two of them, half of them empty
  unsigned shift_ = 0;
};

}  // namespace

Split split_rotation(std::int32_t r, std::uint32_t giant) {
  if (giant == 0) return {r, 0};
  const auto size = static_cast<std::int32_t>(giant);
  const std::int32_t baby = ((r % size) + size) % size;
  return {baby, r - baby};
}

Links find_links(const Network& net, const std::vector<BlockLayout>& layouts,
                 const std::vector<std::uint32_t>& supports) {
  Links found;
  found.blocks = static_cast<std::uint32_t>(supports.size());
  Numbers known;
  RangeFinder finder(net.columns);
  std::size_t uses = 0;
  for (const auto support : supports)
    if (support != kAbsent) uses += net.supports[support].size();
  found.uses.reserve(uses);
  for (std::uint32_t p = 0; p < found.blocks; ++p) {
    if (supports[p] == kAbsent) continue;
    const auto columns = net.supports[supports[p]];
    for (std::uint32_t k = 0; k < columns.size(); ++k) {
      const std::size_t range = finder.index_of(columns[k]);
      const auto& source = net.columns.ranges()[range];
      const auto from = nearest(layouts[source.vector].places[columns[k] - source.first], p);
      const auto r = static_cast<std::int32_t>(from.block) - static_cast<std::int32_t>(p);
      // Ranges, ciphertexts and rotations stay far below these widths.
      const auto key = std::uint64_t{range} << 48 | std::uint64_t{from.ciphertext} << 20 |
                       static_cast<std::uint64_t>(r + (1 << 19));
      const auto [link, fresh] = known.number(key);
      if (fresh) found.links.push_back({range, from.ciphertext, r});
      found.uses.push_back({p, k, link});
    }
  }
  return found;
}

Pattern::Pattern(const Links& links, const std::vector<std::uint32_t>& supports, const Cut& cut,
                 const std::vector<std::uint32_t>& inputs)
    : links_(links), supports_(supports) {
  const auto term_of = [&](const Link& link) -> Term {
    const auto split = split_rotation(link.rotation, cut.giant);
    const auto slice = std::uint64_t{link.ciphertext} * cut.slices / inputs[link.range];
    return {split.giant, static_cast<std::uint32_t>(slice), link.range, split.baby, link.ciphertext};
  };
  std::map<Term, std::uint32_t> place;
  for (const auto& link : links.links) place.try_emplace(term_of(link), 0u);
  for (auto& [term, index] : place) {
    index = static_cast<std::uint32_t>(terms_.size());
    terms_.push_back(term);
  }
  for (const auto& link : links.links) term_of_link_.push_back(place.at(term_of(link)));
}

bool Pattern::reaches_element(std::size_t term, std::uint32_t block) const {
  return supports_[shifted_block(block, -std::int64_t{terms_[term].giant}, links_.blocks)] != kAbsent;
}

WeightPlaces Pattern::places() const {
  WeightPlaces all;
  all.giant.reserve(terms_.size());
  for (const auto& term : terms_) all.giant.push_back(term.giant);
  all.begin.assign(terms_.size() + 1, 0);
  for (const auto& use : links_.uses) ++all.begin[term_of_link_[use.link] + 1];
  std::partial_sum(all.begin.begin(), all.begin.end(), all.begin.begin());
  all.all.resize(links_.uses.size());
  auto next = all.begin;
  // Uses come by block: so do those of each term.
  for (const auto& use : links_.uses) {
    const auto term = term_of_link_[use.link];
    auto& at = next[term];
    // An element of a vector is the only one in its place, and r tells which of them is meant.
    if (at > all.begin[term] && all.all[at - 1].element_block == use.block)
      fail("plan: two weights in one place of a ciphertext");
    all.all[at++] = {use.block, use.index};
  }
  return all;
}

Patterns patterns_of(const Stage& stage, const BlockLayout& out) {
  Patterns all;
  std::map<std::vector<std::uint32_t>, std::size_t> known;
  std::vector<std::uint32_t> supports(out.blocks);
  for (std::uint32_t t = 0; t < out.ciphertexts; ++t) {
    for (std::uint32_t p = 0; p < out.blocks; ++p) {
      const auto e = out.element[std::size_t{t} * out.blocks + p];
      supports[p] = e == kAbsent ? kAbsent : stage.rows[e].support;
    }
    const auto [it, fresh] = known.try_emplace(supports, all.supports.size());
    if (fresh) {
      all.supports.push_back(supports);
      all.ciphertexts.emplace_back();
    }
    all.ciphertexts[it->second].push_back(t);
  }
  return all;
}

}  // namespace velum::plan::blocks
