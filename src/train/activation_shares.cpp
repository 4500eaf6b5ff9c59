#include "train/activation_shares.h"

#include "train/schedule.h"

namespace velum::train {

void set_shares(std::vector<Activation>& activations, const TrainOptions& options, std::int64_t step,
                std::int64_t steps) {
  const double progress = replacement_progress(options, step, steps);
  for (std::size_t i = 0; i < activations.size(); ++i)
    activations[i]->set_share(replaced_share(progress, i, activations.size(), options.order));
}

double mean_share(const std::vector<Activation>& activations) {
  double sum = 0;
  for (const auto& act : activations) sum += act->share();
  return activations.empty() ? 1 : sum / static_cast<double>(activations.size());
}

}  // namespace velum::train
