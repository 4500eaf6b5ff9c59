// The arithmetic of one layer on a tile of images, in doubles.
//
// A tile is laid out [element][lane], one lane per image, so that every layer is a plain loop over lanes that
// vectorises whatever the layer's geometry. Sums run over inputs in ascending order in every lane: a result
// depends neither on the batch around the image nor on the number of threads.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "model/graph.h"

namespace velum::model {

inline constexpr std::size_t lane_block = 4;  // lanes of a tile come in multiples of this
inline constexpr std::size_t max_lanes = 16;

// out = layer(in); the pointers are to tiles of `lanes` lanes. Thread-safe.
using LayerKernel = std::function<void(std::span<const double* const> in, double* out, std::size_t lanes)>;

// Packs the weights once. Throws Error(user) for a layer that cannot be executed (Unsupported).
LayerKernel prepare_layer(const Node& node, const std::vector<Shape>& inputs);

}  // namespace velum::model
