// The affine map of a task as digit matrix products, slice by slice (docs/design.md, "Affine maps").
#pragma once

#include <functional>

#include "engine/prepared_step.h"
#include "engine/value_store.h"
#include "engine/workers.h"
#include "plan/schedule/parts.h"

namespace velum::engine {

// Computes the groups of one part of a task from their pairs; groups without pairs, and products with weights
// by block, are left to run_products. `output(o)` gives the place of output o (an index into the step's
// value): step.polys polynomials over at least step.limbs limbs. Sources' rows must be held. Parallel over
// limbs and slices of columns; the result does not depend on the number of threads or the slice width.
void run_affine(const PreparedStep& prepared, const plan::Part& part, const ckks::Parameters& params,
                ValueStore& store, Workers& workers,
                const std::function<ckks::View(std::uint32_t o)>& output);

}  // namespace velum::engine
