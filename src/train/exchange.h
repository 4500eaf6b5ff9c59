// Between the trainer's networks and Velum's models.
#pragma once

#include <torch/torch.h>

#include <string>

#include "model/graph.h"
#include "train/network.h"

namespace velum::train {

// The network as it computes in evaluation: batch norm with its running statistics as ScaleShift, dropout
// gone.
model::Graph to_graph(const NetworkImpl& network);

// A model as a network with these parameters, e.g. a ReLU teacher. Its batch norms stay ScaleShifts, so it is
// for evaluation. Throws Error(user) naming the node for operators that the trainer cannot run.
Network from_graph(const model::Graph& graph);

// Fills graph.ranges from what the network does with these images: of every tensor the least and greatest
// value, widened on both sides by `margin` times their distance, and the root mean squares (not widened).
void record_ranges(model::Graph& graph, Network& network, const torch::Tensor& images, double margin);

// Statistics of these images into the graph's metadata.
void record_statistics(model::Graph& graph, const torch::Tensor& images);

// Removes recorded ranges that are not finite, which no file can hold, and says which tensor is the first (in
// the network's order) to exceed what plans hold well, and what to do about it. Empty where none does.
std::string check_ranges(model::Graph& graph);

}  // namespace velum::train
