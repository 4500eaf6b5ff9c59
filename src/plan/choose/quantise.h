// Real weights to int16, in the layout of the digit product.
#pragma once

#include "plan/layout/pack.h"

namespace velum::plan {

inline constexpr int kLargestWeight = 32767;

// Fills the weights, offsets, runs and L1 norms of step.groups (a copy of the packed groups). factor[s] times
// the real weight, rounded, is the integer weight on source s. Equal blocks are stored once.
void quantise(const Network& network, const PackedStage& packed, const std::vector<double>& factor,
              Step& step);

// The longest run of pairs, counted from the first, within which no row's sum of |w| passes 65535.
std::uint32_t longest_run(std::span<const std::int16_t> block, std::size_t rows, std::size_t pairs);

}  // namespace velum::plan
