// Weights and biases that differ by block, as residues: one for each run of columns (ckks/core/periodic.h).
#pragma once

#include "engine/prepared_step.h"

namespace velum::engine {

// Weights of the inputs [first, first + inputs) of group g and of some of its rows, for every run in turn, as
// kernels::RunWeights has them: out[run][..]. What an input is lifted by is in its weights: there are few of
// them beside the input's residues. `scratch` has plan::run_transform_words.
void transform_weights(u64* out, const PreparedStep& prepared, const plan::Group& g, std::size_t first,
                       std::size_t inputs, kernels::RowBlock rows, const ring::Ring& ring, std::size_t limb,
                       u64* scratch);

// Of all groups, where they are few enough; parallel. `prepared` has inputs and lifts.
KeptWeights keep_weights(const PreparedStep& prepared, const ckks::Parameters& params);

// [limbs][outputs][run] of a bias that differs by block, rounded to nearest at the affine map's scale.
std::vector<u64> block_bias_residues(const plan::Step& step, const ckks::Parameters& params,
                                     std::size_t blocks);

}  // namespace velum::engine
