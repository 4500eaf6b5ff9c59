// When a run writes its checkpoint.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "train/checkpoint.h"

namespace velum::train {

// After every epoch, unless writing (large networks, slow disks) would take a notable part of the run: then
// when twenty times as long has passed.
class CheckpointKeeper {
 public:
  explicit CheckpointKeeper(std::string path) : path_(std::move(path)) {}  // empty: there is none

  // The run goes on from a checkpoint after so many epochs.
  void resumed(std::size_t epochs) { epoch_ = epochs; }
  void after_epoch(const RunState& state, const TrainOptions& options);
  const std::string& path() const { return path_; }
  // The epoch that the file holds; 0: there is none.
  std::size_t epoch() const { return epoch_; }

 private:
  using Clock = std::chrono::steady_clock;

  std::string path_;
  double cost_ = 0;         // seconds of the last write
  Clock::time_point time_;  // of the last write
  std::size_t epoch_ = 0;
};

}  // namespace velum::train
