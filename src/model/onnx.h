// ONNX in and out. Opsets 11 to 17.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::model {

// Relu, MaxPool and other activations are kept as nodes (see require_polynomial); an operator of unknown
// effect on shapes is refused at once. Constants are folded, polynomial activations recognised, a trailing
// Softmax/ArgMax dropped with a note. Throws Error(user) naming file and node. Ranges and free metadata come
// from metadata_props ("velum.range.TENSOR" = "low high rms typical", the last left out where unknown,
// "velum.input" likewise, "velum.meta.KEY"). A tensor with a recorded range ends an activation: none is
// merged across it.
Graph load_onnx(const std::string& path);
Graph load_onnx(std::span<const std::uint8_t> bytes, const std::string& what);
std::vector<std::uint8_t> to_onnx(const Graph& g);
void save_onnx(const Graph& g, const std::string& path);  // atomically

}  // namespace velum::model
