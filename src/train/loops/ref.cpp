#include "train/loops/body.h"

namespace velum::train {
const Loops kRefLoops = table_of("ref");
}  // namespace velum::train
