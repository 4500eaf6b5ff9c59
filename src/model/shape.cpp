#include "model/shape.h"

#include <fmt/ranges.h>

#include <limits>

namespace velum::model {

std::int64_t element_count(const Shape& s) {
  std::int64_t n = 1;
  for (const auto d : s)
    if (__builtin_mul_overflow(n, d, &n)) return std::numeric_limits<std::int64_t>::max();
  return n;
}

std::string to_string(const Shape& s) {
  if (s.empty()) return "scalar";
  return fmt::format("{}", fmt::join(s, "x"));
}

}  // namespace velum::model
