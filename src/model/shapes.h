// Shape rules of every layer: what each one needs of its inputs and what it produces.
#pragma once

#include <vector>

#include "model/graph.h"

namespace velum::model {

// No tensor of a network may have more elements than this. Every element becomes a ciphertext of some hundred
// kilobytes, so a larger one is a damaged or hostile file, and this bound keeps every size computation exact.
inline constexpr std::int64_t max_tensor_elements = std::int64_t{1} << 24;
// Kernel extents, strides, dilations and paddings stay below this, for the same reason.
inline constexpr std::int64_t max_window_extent = std::int64_t{1} << 20;

// The output shape of one layer; throws Error(user) where the inputs, the sizes of the weights or the
// parameters do not fit. The message leaves out the node's name: the caller adds it.
//
// Reshape takes node.shape as its target (empty, it flattens). Unsupported keeps the shape of its first
// input.
Shape infer_shape(const Node& node, const std::vector<Shape>& inputs);

// Positions of a window along one axis; throws where none fits.
std::int64_t window_positions(std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                              std::int64_t dilation, std::int64_t pad_before, std::int64_t pad_after);

// Refuses coefficients whose axes do not broadcast to `shape`, or that hold another number of values.
void check_coefficients(const Coefficients& c, const Shape& shape, std::string_view what);
// Refuses a shape with an empty axis or too many elements.
void check_shape(const Shape& shape);

// Whether one element is left along the function's axes.
bool reduces(const AxisFunction& f);

}  // namespace velum::model
