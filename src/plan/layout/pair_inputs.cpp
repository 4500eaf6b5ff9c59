#include <algorithm>
#include <map>
#include <unordered_map>

#include "plan/layout/pack.h"

namespace velum::plan {

namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t x) {
  h ^= x + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
  return h * 0xff51afd7ed558ccdu;
}

std::size_t united(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  std::size_t common = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i < *j) {
      ++i;
    } else if (*j < *i) {
      ++j;
    } else {
      ++common, ++i, ++j;
    }
  }
  return a.size() + b.size() - common;
}

// Neighbours of a chain two by two, starting at the first or the second member: whichever makes the readers
// read fewer pairs.
void pair_chain(const std::vector<std::vector<std::uint32_t>>& readers,
                const std::vector<std::uint32_t>& chain, std::vector<InputPair>& pairs) {
  const auto uses = [&](std::size_t phase) {
    std::size_t total = phase ? readers[chain[0]].size() : 0;
    for (std::size_t i = phase; i < chain.size(); i += 2)
      total +=
          i + 1 < chain.size() ? united(readers[chain[i]], readers[chain[i + 1]]) : readers[chain[i]].size();
    return total;
  };
  const std::size_t phase = uses(1) < uses(0) ? 1 : 0;
  if (phase) pairs.push_back({chain[0], kAbsent});
  for (std::size_t i = phase; i < chain.size(); i += 2)
    pairs.push_back({chain[i], i + 1 < chain.size() ? chain[i + 1] : kAbsent});
}

}  // namespace

std::vector<InputPair> pair_inputs(const std::vector<std::vector<std::uint32_t>>& readers,
                                   const std::vector<std::uint32_t>& row) {
  const auto count = static_cast<std::uint32_t>(readers.size());
  std::vector<InputPair> pairs;
  // First, inputs with the very same readers: no lane is wasted, wherever they lie.
  std::unordered_map<std::uint64_t, std::uint32_t> waiting;
  std::vector<bool> paired(count, false);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint64_t signature = readers[i].size();
    for (const auto r : readers[i]) signature = mix(signature, r);
    const auto [it, fresh] = waiting.try_emplace(signature, i);
    if (fresh) continue;
    if (readers[it->second] == readers[i]) {
      pairs.push_back({it->second, i});
      paired[it->second] = paired[i] = true;
    }
    waiting.erase(it);
  }
  // The others form chains along their image row: each to the next one that shares its last reader.
  std::unordered_map<std::uint64_t, std::uint32_t> end_of_chain;  // (row, reader) -> last left-over input
  std::vector<std::uint32_t> previous(count, kAbsent), next(count, kAbsent);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (paired[i]) continue;
    for (const auto r : readers[i]) {
      const auto it = end_of_chain.find(std::uint64_t{row[i]} << 32 | r);
      if (it != end_of_chain.end() && next[it->second] == kAbsent) {
        next[it->second] = i;
        previous[i] = it->second;
        break;
      }
    }
    for (const auto r : readers[i]) end_of_chain[std::uint64_t{row[i]} << 32 | r] = i;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (paired[i] || previous[i] != kAbsent) continue;
    std::vector<std::uint32_t> chain;
    for (auto j = i; j != kAbsent; j = next[j]) chain.push_back(j);
    pair_chain(readers, chain, pairs);
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const InputPair& a, const InputPair& b) { return a.first < b.first; });
  return pairs;
}

}  // namespace velum::plan
