// What tables say of steps: which of them are partial sums, and what several cost together.
#pragma once

#include <string_view>

#include "plan/plan.h"

namespace velum::plan {

// In blocks a layer's sums may be made in parts, of which the last step completes the layer: the names of the
// others, and of the values that they make, end so.
inline constexpr std::string_view kPartial = ".partial";

inline void add(StepCost& sum, const StepCost& cost) {
  sum.multiply_adds += cost.multiply_adds;
  sum.ntts += cost.ntts;
  sum.key_products += cost.key_products;
  sum.bytes += cost.bytes;
  sum.seconds += cost.seconds;
}

}  // namespace velum::plan
