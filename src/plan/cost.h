// What a step costs: counts, and the seconds that follow from a machine's rates.
#pragma once

#include <vector>

#include "plan/passes.h"

namespace velum::plan {

// The size of a step as costs see it.
struct StepWork {
  std::uint64_t lanes = 0;         // weight places: rows times members of pairs over all groups
  std::uint64_t panel_inputs = 0;  // inputs split into digits, again in each task that reads them
  std::uint64_t squares = 0;       // of those, squares
  std::uint64_t outputs = 0;
  std::uint32_t polys = 2, limbs = 0;
  Finish finish = Finish::none;
  bool identity = false;  // outputs elementwise squares, relinearised
};

struct RingSize {
  std::size_t n = 0;
  std::size_t special = 0;
  std::vector<int> digits;  // by limb
};

StepCost cost_of(const StepWork& work, const RingSize& ring, const Rates& rates);
StepCost operator+(const StepCost& a, const StepCost& b);

}  // namespace velum::plan
