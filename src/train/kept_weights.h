// Weights that a run keeps beside those that it trains.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "train/epoch.h"
#include "train/network.h"

namespace velum::train {

struct KeptWeights {
  std::vector<torch::Tensor> average;  // state_of() the averaged network; empty without averaging
  std::vector<torch::Tensor> best;     // of the best network so far; empty while there is none
};

// The network as it would be given after the epoch of `record` (the average, where there is one) becomes the
// best if no earlier epoch had at least its validation accuracy. Networks with ReLUs left are not compared:
// what a run gives has none.
void keep_if_best(KeptWeights& kept, const NetworkImpl& network, const EpochRecord& record,
                  const std::vector<EpochRecord>& earlier);

// Leaves in the network what the run gives: the best weights where they are asked for and there are any, else
// the average, else the trained ones.
void assign_kept(NetworkImpl& network, const KeptWeights& kept, bool keep_best);

}  // namespace velum::train
