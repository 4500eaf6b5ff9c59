// Repeated measurements: median, quartiles, and what two sets of them say about a ratio.
#pragma once

#include <vector>

namespace velum::bench {

struct Spread {
  double median = 0, low = 0, high = 0;  // low, high: the first and third quartile
};
// Quantiles interpolate between neighbours in order; of one value, all three are that value.
Spread spread_of(std::vector<double> values);

// b / a: the ratio of the medians, and the interval that the two interquartile ranges leave open.
struct Ratio {
  double value = 1, low = 1, high = 1;
  bool differs() const { return low > 1 || high < 1; }  // beyond the spread
};
Ratio ratio_of(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace velum::bench
