// How the parts of verify_plan refuse.
#pragma once

#include <cmath>
#include <utility>

#include "base/error.h"

namespace velum::plan {

template <typename... Args>
void require(bool holds, fmt::format_string<Args...> format, Args&&... args) {
  if (!holds)
    fail_user("plan: {}; make it again with 'velum plan'", fmt::format(format, std::forward<Args>(args)...));
}

inline bool positive(double x) {
  return std::isfinite(x) && x > 0;
}
inline bool not_negative(double x) {
  return std::isfinite(x) && x >= 0;
}

}  // namespace velum::plan
