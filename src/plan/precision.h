// How precise the outputs have to be where the request does not say.
//
// Precision is counted from the bound of the outputs, -log2(rms error / bound), as a square overflows at its
// bound and nowhere else. Where one image in thousands is what reaches the bound, ordinary outputs are far
// below it, and so many bits of the bound are few of theirs: typical outputs have log2(bound / rms) fewer.
#pragma once

#include <optional>
#include <string>

#include "plan/network.h"
#include "plan/plan.h"

namespace velum::plan {

inline constexpr double kBoundBits = 12;   // of the bound
inline constexpr double kTypicalBits = 8;  // of a typical output

// Bits of the bound that leave both, by the sizes of the network's last vector.
double own_precision(const Network& network);

// What the user should know of `target`, in bits of the bound, if anything: that typical outputs asked for
// more than usual (`own`: nobody else did), or that they keep too little.
std::optional<std::string> note_precision(const Value& output, double target, bool own);

}  // namespace velum::plan
