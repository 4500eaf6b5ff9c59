// The clear executor: the definition of what the encrypted network must compute, in doubles. Parallel over
// images.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "model/graph.h"

namespace velum::model {

// images: [count][input elements] row-major; returns [count][output elements].
std::vector<double> execute(const Graph& g, std::span<const float> images, std::size_t count);
// Every tensor of one image, in node order: observe(node, values). For calibration and probes.
void execute_observed(const Graph& g, std::span<const float> image,
                      const std::function<void(const Node&, std::span<const double>)>& observe);
// The root mean square of the middle of these images, from the sum of squares of each, by `elements` an
// image; 0 without images.
double middle_rms(std::vector<double> squares_by_image, double elements);
// Fills g.ranges of every tensor from the images, widened on both sides by `margin` times their width (0.25
// say), with the root mean square over the images and that of the middle image. The declared g.input_range
// only grows, where the images leave it. Statistics of the images replace the network's.
void calibrate(Graph& g, std::span<const float> images, std::size_t count, double margin);

}  // namespace velum::model
