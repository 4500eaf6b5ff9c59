// A network of elements as one of ciphertexts: the same sparse affine maps, given where the elements live.
//
// Element (t', p) of a stage's vector (ciphertext t', block p) that reads element (t, p') with weight w needs
// slot j + r of ciphertext t at slot j, r = p' - p. With r = b + g,
//
//   out[t'] = bias[t'] + sum over g of rotate(S[t', g], g),   S[t', g] = sum over (t, b) of W[t', g][t, b]
//   rotate(x[t], b),
//
// and w stands at block p + g (modulo P) of W[t', g][t, b], which is zero in all blocks where nothing is
// written here: in blocks that are nobody's, and wherever p' is not a block of the same image. So padding,
// borders, unused blocks and what a rotation brings from a neighbouring image are zeros of W, and need no
// mask and no level.
//
// Where W is the same in all blocks that it is written in, and what it would read in the others is zero, it
// is a scalar; otherwise a plaintext of period P.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/layout/block_layout.h"
#include "plan/lower/network.h"

namespace velum::plan {

// How a stage splits its rotations: 0: all of them on its inputs (g = 0); else b in 0 .. giant - 1, and g a
// multiple of `giant` (baby steps and giant steps).
using GiantSteps = std::vector<std::uint32_t>;  // by stage
// Into how many slices a stage cuts the ciphertexts of each vector that it reads, so that rotated copies of
// one slice alone are in memory: their sums are partial sums. By stage; empty: none is cut.
using InputSlices = std::vector<std::uint32_t>;

// How weights that could be scalars are kept: as such (16 bits, the digit product), or by block like the
// others, where they may have more bits (PackedStage::extra_bits).
enum class ScalarWeights : std::uint8_t { kept, by_block };

// `layouts` by vector. Throws Error(user) where a stage adds up squares whose weights are not the same in all
// blocks (Stage::sum_steps): such pools have to be composed with what follows.
Network map_blocks(const Network& network, const std::vector<BlockLayout>& layouts, const GiantSteps& giants,
                   ScalarWeights scalars = ScalarWeights::kept, const InputSlices& slices = {});

// Whether a network that keeps pools of squares as steps (Stage::sum_steps) can do so in these layouts.
bool keeps_sums(const Network& network, const std::vector<BlockLayout>& layouts, const GiantSteps& giants);

}  // namespace velum::plan
