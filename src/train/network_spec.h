// Networks as plain descriptions: layers by name, before anything is allocated. The torch module (network.h)
// runs a description, the exporter walks it, and a model loaded from ONNX becomes one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/graph.h"
#include "train/activation.h"

namespace velum::train {

struct ConvolutionSpec {
  std::int64_t outputs = 0, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  std::int64_t dilation_h = 1, dilation_w = 1, groups = 1;
  bool bias = false;
};
struct DenseSpec {
  std::int64_t outputs = 0;
  bool bias = false;
};
struct BatchNormSpec {};  // trained; becomes a ScaleShift in the exported model
struct ScaleShiftSpec {   // fixed: from a loaded model
  bool restores = false;  // or added behind an activation, whose input was divided by it (warm_start.h)
  std::optional<model::ScaleShift> values = std::nullopt;  // or known from the start: of the pixels
};
struct ActivationSpec {
  ActivationKind kind = ActivationKind::relu;
  ReplacedFunctionPtr function = nullptr;  // of a loaded model, in ReLU's place
};
struct DropoutSpec {  // while training only
  double probability = 0;
};
using LayerOperation =
    std::variant<ConvolutionSpec, DenseSpec, BatchNormSpec, ScaleShiftSpec, ActivationSpec, DropoutSpec,
                 model::AveragePool, model::MaxPool, model::GlobalAveragePool, model::Pad, model::Reshape,
                 model::Combine, model::Concat, model::Transpose, model::Linear, model::Multiply>;

struct LayerSpec {
  std::string name;  // unique; also names the output tensor. Letters, digits and underscores
  LayerOperation op;
  std::vector<std::string> inputs;  // layer names, or "input"
  model::Shape shape;               // of the output, without the batch axis
};

struct NetworkSpec {
  std::string name;
  model::Shape input_shape;
  std::vector<LayerSpec> layers;  // in topological order; the last one gives the logits
};

struct NetworkRequest {
  std::string name;          // one of network_names()
  model::Shape input_shape;  // {C, H, W}
  std::int64_t classes = 0;
  ActivationKind activation = ActivationKind::element;
  double width = 1;                  // factor on the channel counts
  double dropout = 0;                // before the last dense layer
  std::vector<std::int64_t> widths;  // of the blocks, for networks that have them to choose; empty: their own
  bool max_pool = false;             // in place of average pooling; not polynomial
};

// The same network behind a fixed layer that makes of images from 0 to 1 the pixels that it takes.
NetworkSpec with_pixels(NetworkSpec spec, const model::ScaleShift& layer);

// Throws Error(user) for an unknown name or an image too small.
NetworkSpec build_network(const NetworkRequest& request);
const std::vector<std::string>& network_names();
std::string describe_networks();  // for --help: a line a network

}  // namespace velum::train
