// A small plan with blocks, by hand: every kind of step and of weight that a plan of blocks can have.
#pragma once

#include <vector>

#include "plan/plan.h"

namespace velum::test {

// Two inputs of P elements; copies rotated both ways; an affine map with weights that are the same in all
// blocks beside others by block, with a bias by block; one of squares and a lifted plain source; rotations of
// its results; and two outputs of which a few blocks are read. N = 1024, no security. Weights by block are
// zero where a rotation brings a neighbouring image's block. Without biases an image of zeros gives zeros.
plan::ServerPlan block_plan(std::uint32_t blocks, bool biases = true, unsigned seed = 1);

// The same in every slot of the ring, neighbouring images and all: [value][ciphertext][slot], true values,
// from the input's slots. Weights are as the plan has them, rounded.
std::vector<std::vector<double>> slot_values(const plan::ServerPlan& plan, const std::vector<double>& input);

}  // namespace velum::test
