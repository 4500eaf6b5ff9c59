// How precise the outputs have to be where the request does not say.
//
// Precision is counted from the bound of the outputs, -log2(rms error / bound), as scales follow from bounds.
// Where one image in thousands is what reaches the bound, ordinary outputs are far
// below it, and so many bits of the bound are few of theirs: typical outputs have log2(bound / typical size)
// fewer.
#pragma once

#include <optional>
#include <string>

#include "plan/lower/network.h"

namespace velum::plan {

inline constexpr double kBoundBits = 12;   // of the bound
inline constexpr double kTypicalBits = 8;  // of a typical output
// Fewer of a typical output are no result: refused where nobody asked for them.
inline constexpr double kLeastTypicalBits = 6;

// What the network's outputs are typically like: the middle image's root mean square where the model records
// it, else that of all images; where neither is known, what the weights make of the inputs' size.
double typical_output(const model::Graph& graph, const Network& network);

// Bits of the bound that leave both: `least` of the bound itself.
double own_precision(double bound, double typical, double least = kBoundBits);

// What the user should know of `target`, in bits of the bound, if anything: that typical outputs asked for
// more than usual (`own`: nobody else did), or that they keep too little.
std::optional<std::string> note_precision(double bound, double typical, double target, bool own);

}  // namespace velum::plan
