// Parts of a task that have nothing in common: what the engine works on at a time, and the costs count by.
#pragma once

#include <vector>

#include "plan/plan.h"

namespace velum::plan {

// Columns of a slice that are worth a part of their own: a limb is then read in pieces of 1 KiB.
inline constexpr std::size_t kWideSlice = 128;

// The groups of a task, cut into parts that share no pair, where they are independent (the channels of a pool
// or of a depthwise convolution). Fewer pairs at a time leave room for wider slices: parts are as large as
// slices of kWideSlice columns allow. Groups ascend within a part; a task whose groups hang together is one
// part.
std::vector<std::vector<std::uint32_t>> independent_parts(const Step& step, const Task& task, std::size_t n);

}  // namespace velum::plan
