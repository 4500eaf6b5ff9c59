// Two results of velum bench side by side.
#pragma once

#include "bench/result.h"
#include "bench/statistics.h"

namespace velum::bench {

struct Compared {
  std::string name, unit;
  Spread a, b;
  Ratio ratio;  // b / a: below 1 where B is faster
};
struct Comparison {
  std::vector<Compared> rows;
  std::vector<std::string> only_a, only_b;
  std::vector<std::string> machine;  // "cpu: X against Y": what differs beside the date
};

// Throws Error(user) where the two are of different kinds, have no name in common or differ in a unit.
Comparison compare_results(const BenchFile& a, const BenchFile& b);
std::string comparison_text(const Comparison& c, const std::string& a, const std::string& b);
Json comparison_json(const Comparison& c, const std::string& a, const std::string& b);

}  // namespace velum::bench
