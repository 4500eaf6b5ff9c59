// What the activations of a network see and compute, measured on images.
#pragma once

#include <span>
#include <vector>

#include "model/graph.h"
#include "report/report.h"

namespace velum::report {

// How many of `count` images of so many elements to look at: enough to see the ranges, few enough to be done
// in a moment.
std::size_t images_to_observe(std::size_t count, std::size_t elements);

// Every quadratic and ReLU layer of the network, in order: ranges over images [count][input elements], and
// the curves of up to `units` elements spread evenly over the layer. The result does not depend on the number
// of threads.
std::vector<Activation> observe_activations(const model::Graph& graph, std::span<const float> images,
                                            std::size_t count, std::size_t units);

// Puts the input ranges of a teacher's activations next to those in the same place; leaves all as it is where
// the two networks have different numbers of them.
void add_teacher_ranges(std::vector<Activation>& activations, const std::vector<Activation>& teacher);

// The curves of the same units before training, from the network as it was.
void add_start_curves(std::vector<Activation>& activations, const model::Graph& start);

}  // namespace velum::report
