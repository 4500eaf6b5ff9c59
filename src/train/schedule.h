// What changes in the course of a run, as functions of where it stands. Nothing here has a memory of its own:
// a resumed run finds the same values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/epoch.h"
#include "train/options.h"

namespace velum::train {

// Learning rate of step `step` of `steps` as a factor of the peak: linear warm-up over the first twentieth,
// cosine to 0.
double schedule(std::int64_t step, std::int64_t steps);

// Halved whenever more than `patience` epochs in a row brought no better validation loss (training loss where
// there is no validation split). Epochs with ReLUs left do not count: while lambda rises the loss has to
// rise, and what the ReLU network began with is hardly reached again.
double plateau_factor(const std::vector<EpochRecord>& history, int patience);

// The rate's factor as the options say.
double rate_factor(const TrainOptions& options, std::int64_t step, std::int64_t steps,
                   const std::vector<EpochRecord>& history);

// Whether the last `patience` epochs brought no better validation loss. Here too, only networks without ReLUs
// count.
bool has_stalled(const std::vector<EpochRecord>& history, int patience);

// lambda of layer `layer` of `layers` when `progress` (0 to 1) of the replacement is over. Together: lambda =
// progress. Layer by layer: each layer's lambda rises in its own `layers`-th part, from the input on.
double replaced_share(double progress, std::size_t layer, std::size_t layers, const std::string& order);

// How much of the replacement is over at a step: 0 in the part that belongs to the ranges (--ranges-first),
// then rising over --transition; 1 where the options ask for neither.
double replacement_progress(const TrainOptions& options, std::int64_t step, std::int64_t steps);

// Whether the step lies in the first or in the last `part` of the run.
bool in_first_part(double part, std::int64_t step, std::int64_t steps);
bool in_last_part(double part, std::int64_t step, std::int64_t steps);
// Whether the step is the first one behind the first `part`; never where that part has no steps.
bool follows_first_part(double part, std::int64_t step, std::int64_t steps);

}  // namespace velum::train
