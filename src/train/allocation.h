// How the program's memory is given out.
#pragma once

namespace velum::train {

// Freed memory stays with the process (glibc; elsewhere nothing happens). A step of training asks for the
// same tensors as the step before it; fresh pages, which the system must clear, are a notable part of its
// time. Call once, at the start of a program that trains.
void keep_freed_memory();

}  // namespace velum::train
