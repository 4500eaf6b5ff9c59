// What an error in a layer does to the outputs, along the network and not layer by layer.
//
// Carried from layer to layer as if they were independent in every element, errors seem to average out. They
// do not: what comes out of a layer has errors that are alike wherever elements read the same inputs, and
// trained layers add those up again. Seven activations deep, that was a factor of 180 (decision 014). So
// gains are measured on the network itself: the gradient of the outputs, walked back through the layers at
// random typical values, gives for each vector what independent errors in its elements come to at the
// outputs.
#pragma once

#include <vector>

namespace velum::plan {

struct Network;

// By vector: the mean square error of an output where every element of the vector errs by one, independently,
// or alike within each channel.
struct ErrorGains {
  std::vector<double> independent, by_channel;
};

// Of a network of elements. The same for the same network: the random values are drawn from fixed seeds.
ErrorGains error_gains(const Network& network);

}  // namespace velum::plan
