// The files that a run writes, checked before anything is trained.
#pragma once

#include "train/command_line.h"

namespace velum::train {

// Throws Error where a file could not be written, where two files of the run have the same path (a result
// would take the place of another, or of what the run reads), and where --checkpoint is there already but
// --resume was not asked for: it would be overwritten, and removed at the end. Opens nothing, leaves nothing.
void check_output_files(const Arguments& arguments);

}  // namespace velum::train
