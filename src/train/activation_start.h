// Where a run begins: weights that are copied, and activations that start on what they see.
#pragma once

#include <map>
#include <string>

#include "train/activation.h"
#include "train/data.h"
#include "train/network.h"

namespace velum::train {

// By layer, the coefficients that the report compares the trained ones with.
using StartNotes = std::map<std::string, StartCoefficients>;

// Gives the network the weights of `from`, unless that is empty, and starts the activations on some training
// images, unless their coefficients came with the weights. Shares of replacement are the caller's to set
// first: activations see what they will see in the first steps. Leaves the network in training where the
// weights are its own and in evaluation where they were copied.
StartNotes begin_network(NetworkImpl& network, Network from, const Samples& train, Start how,
                         const CoefficientLimits& limits);

// After --ranges-first: the quadratics start again, on what the tamed ReLUs see. Leaves the network in
// training.
StartNotes restart_activations(NetworkImpl& network, const Samples& train, Start how,
                               const CoefficientLimits& limits);

}  // namespace velum::train
