#include "bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace velum::bench {

namespace {

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)};
}

Ratio ratio_of(const std::vector<double>& a, const std::vector<double>& b) {
  const auto x = spread_of(a), y = spread_of(b);
  return {y.median / x.median, y.low / x.high, y.high / x.low};
}

}  // namespace velum::bench
