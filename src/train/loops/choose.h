// Which of the loops' variants this processor runs.
#pragma once

#include <span>

#include "train/loops/loops.h"

namespace velum::train {

std::span<const Loops* const> usable_loops();  // the best last
const Loops& loops();                          // the best

}  // namespace velum::train
