// How much errors that are alike within a channel add up in a layer.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/lower/expression.h"

namespace velum::plan {

struct Network;
struct Stage;

// Of the weights that a stage has on one source: squares of their sums by channel of the source, over the
// squares of the weights themselves. 1 where no output reads two elements of one channel.
struct Coherence {
  std::uint32_t vector = 0;
  SourceKind kind = SourceKind::plain;
  double ratio = 1;
};

// Of a stage of a network of elements. A network in blocks keeps what its stages had before they were mapped,
// since its sums are spread over blocks, rotations and partial sums.
std::vector<Coherence> channel_coherence(const Network& network, const Stage& stage);

}  // namespace velum::plan
