// The residues of one input of a step over some columns of a limb: views of the value, or computed from it.
#pragma once

#include <array>

#include "ckks/core/ciphertext.h"
#include "engine/prepared_step.h"

namespace velum::engine {

inline constexpr std::size_t kMaxPolys = 3;

struct SliceInput {
  std::array<const u64*, kMaxPolys> poly{};  // null where the input has no such polynomial
};

// Of a ciphertext in memory, from this column on.
SliceInput slice_of(const ckks::ConstView& view, std::size_t l, std::size_t column);

// Input `index` of the step, squared or lifted as its source says, from its residues `from` as they are.
// `own` has room for three polynomials of so many columns.
SliceInput derive_slice(const PreparedStep& prepared, const ckks::Parameters& params, std::uint32_t index,
                        const SliceInput& from, std::size_t l, std::size_t columns, u64* own);

// The same, lifted by nobody: where the lift is in the weights.
SliceInput squared_slice(const PreparedStep& prepared, const ckks::Parameters& params, std::uint32_t index,
                         const SliceInput& from, std::size_t l, std::size_t columns, u64* own);

}  // namespace velum::engine
