#include "train/loops/body.h"

namespace velum::train {
const Loops kAvx2Loops = table_of("avx2");
}  // namespace velum::train
