#include "plan/lower/composition.h"

#include <algorithm>
#include <map>

namespace velum::plan {

namespace {

// The stage that computes a column's element, if it is one of sums that is read as it is.
const Stage* sums_behind(const Network& net, const ColumnRange& range) {
  if (range.kind != SourceKind::plain || range.vector == 0) return nullptr;
  const auto& stage = net.stages[range.vector - 1];
  return stage.sum_steps > 0 ? &stage : nullptr;
}

std::uint64_t composed_width(const Network& net, std::span<const Column> support) {
  std::vector<Column> columns;
  for (const auto c : support) {
    const auto& range = net.columns.ranges()[net.columns.index_of(c)];
    if (const auto* sums = sums_behind(net, range)) {
      const auto squares = net.supports[sums->rows[c - range.first].support];
      columns.insert(columns.end(), squares.begin(), squares.end());
    } else {
      columns.push_back(c);
    }
  }
  std::sort(columns.begin(), columns.end());
  return static_cast<std::uint64_t>(std::unique(columns.begin(), columns.end()) - columns.begin());
}

}  // namespace

WeightCount count_weights(const Network& net) {
  WeightCount count;
  std::map<std::uint32_t, std::uint64_t> widths;  // of supports, composed
  for (const auto& stage : net.stages)
    for (const auto& row : stage.rows) {
      count.kept += net.supports[row.support].size();
      if (stage.sum_steps > 0) continue;
      const auto [it, fresh] = widths.try_emplace(row.support, 0);
      if (fresh) it->second = composed_width(net, net.supports[row.support]);
      count.composed += it->second;
    }
  return count;
}

}  // namespace velum::plan
