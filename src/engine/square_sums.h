// Sums and differences of squares, as pools of squares have them: no digits, no weights
// (docs/design.md, "Affine maps").
#pragma once

#include <functional>

#include "engine/prepared_step.h"
#include "engine/value_store.h"
#include "engine/workers.h"
#include "plan/schedule/parts.h"

namespace velum::engine {

// As run_affine, for parts of a step of which plan::adds_squares holds.
void run_square_sums(const PreparedStep& prepared, std::span<const plan::Part> parts,
                     const ckks::Parameters& params, ValueStore& store, Workers& workers,
                     const std::function<ckks::View(std::uint32_t o)>& output);

}  // namespace velum::engine
