#include "train/loops/body.h"

namespace velum::train {
const Loops kAvx512Loops = table_of("avx512");
}  // namespace velum::train
