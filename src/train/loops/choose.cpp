#include "train/loops/choose.h"

#include <vector>

#include "base/cpu.h"

namespace velum::train {

std::span<const Loops* const> usable_loops() {
  static const auto usable = [] {
    std::vector<const Loops*> found{&kRefLoops};
#ifdef VELUM_LOOPS_X86
    const auto cpu = detect_cpu();
    if (cpu.avx2) found.push_back(&kAvx2Loops);
    if (cpu.avx512) found.push_back(&kAvx512Loops);
#endif
    return found;
  }();
  return usable;
}

const Loops& loops() {
  static const Loops& best = *usable_loops().back();
  return best;
}

}  // namespace velum::train
