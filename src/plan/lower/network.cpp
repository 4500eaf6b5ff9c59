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

}  // namespace velum::plan
