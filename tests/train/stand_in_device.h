// A stand-in for a GPU, where there is none: a device under torch's name for Intel's, xpu, whose memory and
// operations are the processor's, and which refuses what a GPU refuses: an operation on tensors of two
// devices (0-dimensional ones of the processor excepted), and to read or write its values without such
// operations.
#pragma once

#include <cstdint>

namespace velum::train {

// Registered with torch while the program starts. The number of operations that ran on it so far: none means
// that whatever was to be tested went elsewhere.
std::int64_t operations_on_stand_in();

}  // namespace velum::train
