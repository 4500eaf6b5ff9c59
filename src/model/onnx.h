// ONNX in and out. Opsets and operators: docs/operators.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/graph.h"
#include "model/pixels.h"

namespace velum::model {

struct LoadOptions {
  std::string output;  // the output that counts; empty: the first
  Shape shape;         // of an image, where the file leaves it open or has no batch axis; empty: the file's
  StatedPixels pixels;
};

// Activations that are no polynomials are kept as nodes (see require_polynomial); every operator that cannot
// be read is named, in one error. Constants are folded, polynomial activations recognised, and what the file
// does to the outputs without changing the prediction (a final Softmax) becomes the graph's tail, with a
// note. Throws Error(user) naming file and nodes. Ranges and free metadata come from metadata_props
// ("velum.range.TENSOR" = "low high rms typical", the last left out where unknown, "velum.input" likewise,
// "velum.meta.KEY"). A tensor with a recorded range ends an activation: none is merged across it. Weights may
// lie in a file beside the network's, not elsewhere. The graph takes images from 0 to 1: what the file makes
// of them before its own first layer, as stated or found, is a layer in front (model/pixels.h).
Graph load_onnx(const std::string& path, const LoadOptions& options = {});
Graph load_onnx(std::span<const std::uint8_t> bytes, const std::string& what,
                const LoadOptions& options = {});
std::vector<std::uint8_t> to_onnx(const Graph& g);
void save_onnx(const Graph& g, const std::string& path);  // atomically

}  // namespace velum::model
