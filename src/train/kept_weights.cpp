#include "train/kept_weights.h"

#include <algorithm>

#include "train/average.h"

namespace velum::train {

void keep_if_best(KeptWeights& kept, const NetworkImpl& network, const EpochRecord& record,
                  const std::vector<EpochRecord>& earlier) {
  if (record.replaced < 1) return;
  const bool better = std::none_of(earlier.begin(), earlier.end(), [&](const EpochRecord& e) {
    return e.replaced >= 1 && e.validation_accuracy >= record.validation_accuracy;
  });
  if (better || kept.best.empty())
    kept.best = copy_of(kept.average.empty() ? state_of(network) : kept.average);
}

void assign_kept(NetworkImpl& network, const KeptWeights& kept, bool keep_best) {
  if (keep_best && !kept.best.empty())
    assign(state_of(network), kept.best);
  else if (!kept.average.empty())
    assign(state_of(network), kept.average);
}

}  // namespace velum::train
