// How the program's memory is given out.
#pragma once

namespace velum::train {

// Freed memory stays with the process (glibc; elsewhere nothing happens). A step of training asks for the
// same tensors as the step before it: from fresh pages, which the system must clear, that costs up to a
// quarter of the step. Call once, at the start of a program that trains.
void keep_freed_memory();

}  // namespace velum::train
