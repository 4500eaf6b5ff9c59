// A network of ciphertexts computed in doubles, beside the network of elements that it stands for.
#pragma once

#include "plan/layout/block_map.h"

namespace velum::plan::testing {

// The largest difference of any element, relative to the largest element of its vector, on a random input.
// Slots beyond an image's blocks hold garbage.
double mapped_difference(const Network& elements, const std::vector<BlockLayout>& layouts,
                         const GiantSteps& giants, const InputSlices& slices = {});

// The largest value in a block that holds nothing, on a random input, of vectors whose unused blocks are
// zero.
double largest_in_unused_blocks(const Network& blocks);

}  // namespace velum::plan::testing
