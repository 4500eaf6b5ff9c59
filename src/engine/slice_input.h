// The residues of one input of a step over some columns of a limb: views of the value, or computed from it.
#pragma once

#include <array>

#include "engine/prepared_step.h"

namespace velum::engine {

inline constexpr std::size_t kMaxPolys = 3;

struct SliceInput {
  std::array<const u64*, kMaxPolys> poly{};  // null where the input has no such polynomial
};

// Input `index` of the step, which lies in `view`, over columns [column, column + columns) of limb l, squared
// or lifted as its source says. `own` has room for three polynomials of so many columns.
SliceInput load_slice(const PreparedStep& prepared, const ckks::Parameters& params, std::uint32_t index,
                      const ckks::ConstView& view, std::size_t l, std::size_t column, std::size_t columns,
                      u64* own);

}  // namespace velum::engine
