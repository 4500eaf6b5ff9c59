// Networks that no machine could run, told before planning takes memory for them.
#pragma once

#include "model/graph.h"

namespace velum::plan {

// The planner describes every element of every tensor, in about a kilobyte each. The widest tensor of the
// usual networks is VGG's at 224x224, of 3.2 million.
inline constexpr std::int64_t kMostTensorElements = std::int64_t{7} << 19;

// An input of 3x512x512. More elements are more ciphertexts, or more blocks, than anybody evaluates.
inline constexpr std::int64_t kMostInputElements = std::int64_t{3} << 18;

// Throws Error(user) at the first tensor with more, at padding beyond all sense, and where planning itself
// would not fit `memory_bytes` (0: unknown).
void check_sizes(const model::Graph& graph, std::uint64_t memory_bytes);

}  // namespace velum::plan
