// What the weights of the last stage bring to the output that errs most: a precision is promised of every
// output, not of their average.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/lower/network.h"

namespace velum::plan {

// Of the weights that one output has on some inputs, as PackedSource counts them for all outputs together
// (the last stage is never one of sums).
struct WeightSums {
  double squares = 0, channel_squares = 0;
  double terms = 0, periodic_terms = 0;
};

// Of one output, by family: sources whose elements err alike (see PackedSource::family).
using OutputSums = std::vector<WeightSums>;

// The outputs of a stage, those left out whose error is less than another's whatever the scales are. No more
// than a few: beyond, several are taken as one that has the largest sums of each.
std::vector<OutputSums> worst_outputs(const Network& network, const Stage& stage,
                                      const std::vector<std::uint32_t>& family_of_range, std::size_t families,
                                      const std::vector<std::uint32_t>& channel_of_column);

}  // namespace velum::plan
