// What a network does to its outputs at the very end without changing the prediction.
#pragma once

#include <span>
#include <vector>

#include "model/graph.h"

namespace velum::model {

// Moves a final Softmax, Sigmoid, ArgMax and the like into the graph's tail, with a note: the client applies
// it to the decrypted outputs, and the order of the outputs, and so the prediction, stays. One along another
// axis than the classes' is left where it is.
void split_tail(Graph& g);

// What the file itself computes from outputs [images][elements of g.output]: they through the tail, or as
// they are.
std::vector<double> apply_tail(const Graph& g, std::span<const double> outputs);

}  // namespace velum::model
