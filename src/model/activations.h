// Activations as other programs write them: often several nodes, which together are one function of one
// tensor, element by element. x * sigmoid(x), x * tanh(softplus(x)), x * clip(x + 3, 0, 6) / 6 and what else
// there is.
#pragma once

#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::model {

struct Activation {
  std::string input, output;       // tensors
  std::vector<std::size_t> nodes;  // of the graph, in its order; the last one makes the output
};

// Of every node that is no polynomial and works element by element, Relu alone aside (which is a layer of its
// own). None of what lies inside is read from outside. Functions that no such group holds are left out.
std::vector<Activation> find_activations(const Graph& g);

// Whether `velum train` runs the layer as it is: those that are neither polynomial nor in an activation it
// does not.
bool is_trainable(const Operation& op);

}  // namespace velum::model
