#include "plan/lower/network.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace velum::plan {

double coefficient_bound(const Vector& v, int power) {
  const double used = std::pow(v.bound, power);
  return std::max(used, (1 - v.unused_share) * used + v.unused_share * std::pow(v.unused_bound, power));
}

bool shares_weights(const Stage& stage) {
  if (!stage.periodic_rows.empty()) return stage.shared_weights;
  std::unordered_set<std::size_t> offsets;
  for (const auto& row : stage.rows) offsets.insert(row.weights);
  return 2 * offsets.size() <= stage.rows.size();
}

std::uint64_t count_products(const Network& network, const Stage& stage) {
  std::uint64_t products = 0;
  for (const auto& row : stage.rows) products += network.supports[row.support].size();
  return products;
}

bool reads(const Network& network, const Stage& stage, std::uint32_t vector) {
  std::unordered_set<std::uint32_t> seen;
  RangeFinder finder(network.columns);
  return std::any_of(stage.rows.begin(), stage.rows.end(), [&](const Row& row) {
    if (!seen.insert(row.support).second) return false;
    const auto columns = network.supports[row.support];
    return std::any_of(columns.begin(), columns.end(),
                       [&](Column c) { return finder.range_of(c).vector == vector; });
  });
}

}  // namespace velum::plan
