#include "train/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "model/execute.h"
#include "model/input_statistics.h"

namespace velum::train {

namespace {

constexpr std::int64_t kObservedBatch = 256;

std::vector<float> values_of(const torch::Tensor& t) {
  if (!t.defined()) return {};
  const auto flat = t.detach().to(torch::kFloat32).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

// dims with as many axes as `shape`; a single value is a scalar.
model::Coefficients coefficients_of(const torch::Tensor& t, const model::Shape& shape) {
  if (t.numel() == 1) return {{}, values_of(t)};
  model::Shape dims(t.sizes().begin(), t.sizes().end());
  dims.resize(shape.size(), 1);  // {C} on a feature map is {C, 1, 1}
  return {std::move(dims), values_of(t)};
}

model::ScaleShift folded_batch_norm(const NetworkImpl& net, const LayerSpec& layer) {
  constexpr double epsilon = 1e-5;  // torch's default, which BatchNormSpec uses
  const auto get = [&](const char* which) {
    return net.tensor(layer.name, which).detach().to(torch::kFloat64);
  };
  const auto scale = get("weight") / torch::sqrt(get("running_var") + epsilon);
  const auto shift = get("bias") - get("running_mean") * scale;
  return {coefficients_of(scale, layer.shape), coefficients_of(shift, layer.shape)};
}

model::Convolution exported(const NetworkImpl& net, const LayerSpec& layer, const ConvolutionSpec& s) {
  return {.outputs = s.outputs,
          .kernel_h = s.kernel_h,
          .kernel_w = s.kernel_w,
          .stride_h = s.stride_h,
          .stride_w = s.stride_w,
          .dilation_h = s.dilation_h,
          .dilation_w = s.dilation_w,
          .groups = s.groups,
          .pad_top = s.pad_top,
          .pad_left = s.pad_left,
          .pad_bottom = s.pad_bottom,
          .pad_right = s.pad_right,
          .weights = values_of(net.tensor(layer.name, "weight")),
          .bias = values_of(net.tensor(layer.name, "bias"))};
}

model::Operation exported(const NetworkImpl& net, const LayerSpec& layer) {
  return std::visit(
      [&](const auto& s) -> model::Operation {
        using S = std::decay_t<decltype(s)>;
        if constexpr (std::is_same_v<S, ConvolutionSpec>) {
          return exported(net, layer, s);
        } else if constexpr (std::is_same_v<S, DenseSpec>) {
          return model::Dense{.outputs = s.outputs,
                              .weights = values_of(net.tensor(layer.name, "weight")),
                              .bias = values_of(net.tensor(layer.name, "bias"))};
        } else if constexpr (std::is_same_v<S, BatchNormSpec>) {
          return folded_batch_norm(net, layer);
        } else if constexpr (std::is_same_v<S, ScaleShiftSpec>) {
          return model::ScaleShift{coefficients_of(net.tensor(layer.name, "scale"), layer.shape),
                                   coefficients_of(net.tensor(layer.name, "shift"), layer.shape)};
        } else if constexpr (std::is_same_v<S, ActivationSpec>) {
          if (s.kind == ActivationKind::relu && s.function)
            fail_user("layer {}: its activation is {}, which is no ReLU and cannot be written as one",
                      layer.name, s.function->name());
          if (s.kind == ActivationKind::relu) return model::Relu{};
          return model::Quadratic{coefficients_of(net.tensor(layer.name, "a"), layer.shape),
                                  coefficients_of(net.tensor(layer.name, "b"), layer.shape),
                                  coefficients_of(net.tensor(layer.name, "c"), layer.shape)};
        } else if constexpr (std::is_same_v<S, DropoutSpec>) {
          fail("layer {}: dropout is not exported", layer.name);  // skipped by the caller
        } else {
          return s;
        }
      },
      layer.op);
}

}  // namespace

model::Graph to_graph(const NetworkImpl& network) {
  const auto& spec = network.spec();
  model::Graph g;
  g.name = spec.name;
  g.input = "input";
  g.input_shape = spec.input_shape;
  std::map<std::string, std::string> alias;  // a dropout's output is its input
  const auto resolved = [&](const std::string& name) {
    const auto found = alias.find(name);
    return found == alias.end() ? name : found->second;
  };
  for (const auto& layer : spec.layers) {
    if (std::holds_alternative<DropoutSpec>(layer.op)) {
      alias[layer.name] = resolved(layer.inputs.at(0));
      continue;
    }
    model::Node node;
    node.name = layer.name;
    node.op = exported(network, layer);
    for (const auto& name : layer.inputs) node.inputs.push_back(resolved(name));
    node.output = layer.name;
    node.shape = layer.shape;
    g.nodes.push_back(std::move(node));
  }
  g.output = resolved(spec.layers.back().name);
  return g;
}

namespace {

// The description of a node, and the tensors that its layer will hold.
struct Imported {
  LayerOperation op;
  std::vector<std::pair<std::string, torch::Tensor>> tensors;
};

torch::Tensor tensor_of(const std::vector<float>& values, std::vector<std::int64_t> dims) {
  return torch::tensor(at::ArrayRef<float>(values)).reshape(std::move(dims));
}
torch::Tensor tensor_of(const model::Coefficients& c, const model::Shape& shape) {
  const auto wide = model::broadcast(c, shape);
  return torch::tensor(at::ArrayRef<double>(wide)).to(torch::kFloat32).reshape(shape);
}

Imported imported(const model::Graph& g, const model::Node& node) {
  const auto& in = g.shape_of(node.inputs.at(0));
  return std::visit(
      [&](const auto& op) -> Imported {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, model::Convolution>) {
          Imported out{ConvolutionSpec{op.outputs, op.kernel_h, op.kernel_w, op.stride_h, op.stride_w,
                                       op.pad_top, op.pad_left, op.pad_bottom, op.pad_right, op.dilation_h,
                                       op.dilation_w, op.groups, !op.bias.empty()},
                       {{"weight", tensor_of(op.weights,
                                             {op.outputs, in.at(0) / op.groups, op.kernel_h, op.kernel_w})}}};
          if (!op.bias.empty()) out.tensors.emplace_back("bias", tensor_of(op.bias, {op.outputs}));
          return out;
        } else if constexpr (std::is_same_v<Op, model::Dense>) {
          Imported out{DenseSpec{op.outputs, !op.bias.empty()},
                       {{"weight", tensor_of(op.weights, {op.outputs, in.at(0)})}}};
          if (!op.bias.empty()) out.tensors.emplace_back("bias", tensor_of(op.bias, {op.outputs}));
          return out;
        } else if constexpr (std::is_same_v<Op, model::ScaleShift>) {
          return {ScaleShiftSpec{},
                  {{"scale", tensor_of(op.scale, node.shape)}, {"shift", tensor_of(op.shift, node.shape)}}};
        } else if constexpr (std::is_same_v<Op, model::Quadratic>) {
          return {ActivationSpec{ActivationKind::element},
                  {{"a", tensor_of(op.a, node.shape)},
                   {"b", tensor_of(op.b, node.shape)},
                   {"c", tensor_of(op.c, node.shape)}}};
        } else if constexpr (std::is_same_v<Op, model::Relu>) {
          return {ActivationSpec{ActivationKind::relu}, {}};
        } else if constexpr (std::is_same_v<Op, model::Unsupported> || std::is_same_v<Op, model::Function> ||
                             std::is_same_v<Op, model::AxisFunction>) {
          fail_user(
              "model {}: node {} is {}, which the trainer cannot replace: it takes networks whose "
              "activations are "
              "Relu or other functions of one element; export the network with those",
              g.name, node.name, op.op);
        } else if constexpr (std::is_constructible_v<LayerOperation, Op>) {
          return {op, {}};
        } else {
          fail_user("model {}: node {} ({}) cannot be run by the trainer; export the network without it",
                    g.name, node.name, model::operation_name(node.op));
        }
      },
      node.op);
}

// Names become names of torch modules: no dots, no slashes.
std::string plain_name(const std::string& name, std::set<std::string>& taken) {
  std::string out;
  for (const char c : name) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  while (out.empty() || out == "input" || taken.count(out)) out += '_';
  taken.insert(out);
  return out;
}

}  // namespace

Network from_graph(const model::Graph& graph) {
  NetworkSpec spec;
  spec.name = graph.name;
  spec.input_shape = graph.input_shape;
  std::map<std::string, std::string> names{{graph.input, "input"}};
  std::set<std::string> taken;
  std::vector<std::vector<std::pair<std::string, torch::Tensor>>> tensors;
  std::map<std::size_t, model::Activation> activations;  // by their last node
  std::set<std::size_t> inside;
  for (auto& a : model::find_activations(graph)) {
    inside.insert(a.nodes.begin(), a.nodes.end());
    activations.emplace(a.nodes.back(), std::move(a));
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    const auto activation = activations.find(i);
    if (activation == activations.end() && inside.contains(i)) continue;
    auto inputs = node.inputs;
    Imported layer;
    if (activation == activations.end()) {
      layer = imported(graph, node);
    } else {
      layer.op =
          ActivationSpec{ActivationKind::relu, std::make_shared<ReplacedFunction>(graph, activation->second)};
      inputs = {activation->second.input};
    }
    LayerSpec s{plain_name(node.output, taken), std::move(layer.op), {}, node.shape};
    for (const auto& input : inputs) s.inputs.push_back(names.at(input));
    names[node.output] = s.name;
    spec.layers.push_back(std::move(s));
    tensors.push_back(std::move(layer.tensors));
    if (node.output == graph.output) break;
  }
  Network network(std::move(spec));
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    for (const auto& [which, value] : tensors[i])
      network->tensor(network->spec().layers[i].name, which).copy_(value);
  network->eval();
  return network;
}

void record_ranges(model::Graph& graph, Network& network, const torch::Tensor& images, double margin) {
  torch::NoGradGuard no_grad;
  const bool was_training = network->is_training();
  network->eval();
  struct Seen {
    double low = INFINITY, high = -INFINITY, squares = 0, count = 0;
    std::vector<double> by_image;  // sums of squares
  };
  std::map<std::string, Seen> seen;
  const auto note = [&](const std::string& name, const torch::Tensor& t) {
    auto& s = seen[name];
    s.low = std::min(s.low, t.min().item<double>());
    s.high = std::max(s.high, t.max().item<double>());
    const auto squares = t.flatten(1).square().sum(1, /*keepdim=*/false, torch::kFloat64).cpu().contiguous();
    const auto* each = squares.data_ptr<double>();
    s.by_image.insert(s.by_image.end(), each, each + squares.numel());
    s.squares += squares.sum().item<double>();
    s.count += static_cast<double>(t.numel());
  };
  for (std::int64_t begin = 0; begin < images.size(0); begin += kObservedBatch) {
    const auto batch = images.slice(0, begin, std::min(begin + kObservedBatch, images.size(0)));
    note(graph.input, batch);
    network->run(batch, {}, [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
      note(layer.name, out);
    });
  }
  graph.ranges.clear();
  for (const auto& node : graph.nodes) {
    const auto found = seen.find(node.output);
    if (found == seen.end()) continue;
    const auto& s = found->second;
    const double widening = margin * (s.high - s.low);
    const double elements = s.count / static_cast<double>(s.by_image.size());
    graph.ranges[node.output] = {s.low - widening, s.high + widening, std::sqrt(s.squares / s.count),
                                 model::middle_rms(s.by_image, elements)};
  }
  const auto& input = seen.at(graph.input);
  graph.input_range.rms = std::sqrt(input.squares / input.count);
  network->train(was_training);
}

void record_statistics(model::Graph& graph, const torch::Tensor& images) {
  model::set_statistics(
      graph, model::measure_inputs(values_of(images.cpu()), static_cast<std::size_t>(images.size(0)),
                                   graph.input_range.low, graph.input_range.high));
}

std::string check_ranges(model::Graph& graph) {
  constexpr double kWide = 1e4;  // 12 bits of that are coarser than the differences between ordinary outputs
  std::string first;
  std::size_t overflown = 0;
  for (const auto& node : graph.nodes) {
    const auto found = graph.ranges.find(node.output);
    if (found == graph.ranges.end()) continue;
    const auto& [low, high, rms, typical] = found->second;
    const double widest = std::max(std::abs(low), std::abs(high));
    const bool finite = std::isfinite(widest) && std::isfinite(rms) && std::isfinite(typical);
    if (first.empty() && (!finite || widest > kWide))
      first = fmt::format("'{}' reaches {:.1e} on some training image", node.output, widest);
    if (finite) continue;
    ++overflown;
    graph.ranges.erase(found);
  }
  if (first.empty()) return {};
  if (overflown == 0)  // its gradients are finite: training can pull the outliers in
    return first +
           "; a plan may need more bits than it can have. Train this network further: --from it --transition "
           "0 "
           "--range-peak 0.1 --fixed-norms-last 1, at a tenth of the rate";
  return fmt::format(
      "{}; tensors that overflow: {}, so that the network cannot be planned. Train with --start range "
      "--ranges-first 0.2 --range-peak 0.1",
      first, overflown);
}

}  // namespace velum::train
