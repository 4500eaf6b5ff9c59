#include "train/checkpoint_keeper.h"

namespace velum::train {

void CheckpointKeeper::after_epoch(const RunState& state, const TrainOptions& options) {
  constexpr double kQuick = 0.25, kRest = 20;  // seconds; times the last write
  if (path_.empty()) return;
  const auto start = Clock::now();
  const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  if (cost_ > kQuick && seconds(start - time_) < kRest * cost_) return;
  write_checkpoint(path_, state, options);
  time_ = Clock::now();
  cost_ = seconds(time_ - start);
  epoch_ = state.history.size();
}

}  // namespace velum::train
