// The part of an affine map whose weights differ by block: residues times residues, one matrix for each run
// of columns.
#pragma once

#include <functional>

#include "engine/prepared_step.h"
#include "engine/value_store.h"
#include "engine/workers.h"
#include "plan/schedule/parts.h"

namespace velum::engine {

// Whether these groups have weights or a bias by block.
bool has_run_products(const PreparedStep& prepared, const plan::Part& groups);

// Adds to the outputs what run_affine left out: products of the groups' periodic inputs, and a bias by block.
// Outputs of groups without pairs are written. Parallel over limbs, rows and columns; the result does not
// depend on the number of threads or how the work is cut. The arguments are those of run_affine.
void run_products(const PreparedStep& prepared, const plan::Part& groups, const ckks::Parameters& params,
                  ValueStore& store, Workers& workers,
                  const std::function<ckks::View(std::uint32_t o)>& output);

}  // namespace velum::engine
