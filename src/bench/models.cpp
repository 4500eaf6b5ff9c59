#include "bench/models.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>

#include "base/error.h"
#include "model/execute.h"
#include "model/onnx.h"

namespace velum::bench {

using namespace model;

namespace {

constexpr std::size_t kImages = 48;
constexpr double kMargin = 0.25;

// SplitMix64: the standard library's distributions differ from one to another.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double uniform(std::uint64_t& state) {  // [0, 1)
  return static_cast<double>(next(state) >> 11) * 0x1p-53;
}

double gauss(std::uint64_t& state) {  // Box and Muller
  const double radius = std::sqrt(-2 * std::log(1 - uniform(state)));
  return radius * std::cos(2 * std::numbers::pi * uniform(state));
}

// "PREFIX-AxB" to A and B.
std::optional<std::pair<int, int>> read_sizes(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  int a = 0, b = 0;
  const auto first = std::from_chars(name.data(), name.data() + name.size(), a);
  if (first.ec != std::errc() || first.ptr == name.data() + name.size() || *first.ptr != 'x')
    return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, name.data() + name.size(), b);
  if (second.ec != std::errc() || second.ptr != name.data() + name.size()) return std::nullopt;
  return std::pair{a, b};
}

// The network of nGraph-HE for CIFAR-10. Its paddings are not published: here every layer is padded, as in
// the CIFAR-10 models that its authors' repository holds, which is the larger reading. Pools count the
// padding.
Graph ngraph_network(std::uint64_t seed) {
  RandomNetwork n("cifar10-ngraph", {3, 32, 32}, seed);
  n.convolution(40, 5, 2, 2).quadratic().average_pool(5, 2, 2).convolution(80, 3, 1, 1).quadratic().dense(10);
  return n.finish();
}

// Seven activations and 13 million multiply-adds.
Graph deep_network(std::uint64_t seed) {
  RandomNetwork n("cifar10-deep", {3, 32, 32}, seed);
  n.convolution(16, 3, 1, 1).quadratic();
  n.convolution(32, 3, 2, 1).quadratic();
  n.convolution(48, 3, 1, 1).quadratic();
  n.convolution(64, 3, 2, 1).quadratic();
  n.convolution(96, 3, 1, 1).quadratic();
  n.convolution(96, 3, 2, 1).quadratic();
  n.convolution(96, 3, 1, 1).quadratic();
  n.dense(10);
  return n.finish();
}

}  // namespace

std::vector<float> drawn_images(const Shape& shape, std::size_t count, std::uint64_t seed) {
  const auto elements = static_cast<std::size_t>(element_count(shape));
  const bool map = shape.size() == 3;
  const auto height = map ? static_cast<std::size_t>(shape[1]) : 1,
             width = map ? static_cast<std::size_t>(shape[2]) : elements,
             channels = elements / (height * width);
  std::uint64_t state = seed;
  std::vector<float> images(count * elements);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      const double level = i == 0   ? 0
                           : i == 1 ? 1
                                    : uniform(state),
                   slope_y = uniform(state) - 0.5, slope_x = uniform(state) - 0.5,
                   noise = 0.3 * uniform(state);
      for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x) {
          const double smooth = slope_y * (static_cast<double>(y) / static_cast<double>(height) - 0.5) +
                                slope_x * (static_cast<double>(x) / static_cast<double>(width) - 0.5);
          const double pixel = i < 2 ? level : level + smooth + noise * gauss(state);
          images[((i * channels + c) * height + y) * width + x] =
              static_cast<float>(std::min(1.0, std::max(0.0, pixel)));
        }
    }
  }
  return images;
}

RandomNetwork::RandomNetwork(std::string name, Shape input, std::uint64_t seed)
    : state_(seed), images_(drawn_images(input, kImages, seed + 1)) {
  graph_.name = std::move(name);
  graph_.input = graph_.output = "input";
  graph_.input_shape = std::move(input);
  graph_.metadata["weights"] = fmt::format("random, seed {}", seed);
}

Shape RandomNetwork::shape() const {
  return graph_.shape_of(graph_.output);
}

std::vector<float> RandomNetwork::normal(std::size_t count, double deviation, double mean) {
  std::vector<float> v(count);
  for (auto& x : v) x = static_cast<float>(mean + deviation * gauss(state_));
  return v;
}

void RandomNetwork::append(Operation op, Shape target) {
  Node node;
  node.name = fmt::format("{}{}", operation_name(op), graph_.nodes.size() + 1);
  node.output = node.name + "_out";
  node.inputs = {graph_.output};
  node.op = std::move(op);
  node.shape = std::move(target);
  graph_.output = node.output;
  graph_.nodes.push_back(std::move(node));
  infer_shapes(graph_);
}

void RandomNetwork::scale_last() {
  const auto y = execute(graph_, images_, kImages);
  double squares = 0;
  for (const double x : y) squares += x * x;
  const auto factor = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(y.size())));
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.weights, op.bias; }) {
          for (auto& w : op.weights) w *= factor;
          for (auto& b : op.bias) b *= factor;
        }
      },
      graph_.nodes.back().op);
}

RandomNetwork& RandomNetwork::convolution(std::int64_t outputs, std::int64_t kernel, std::int64_t stride,
                                          std::int64_t pad) {
  Convolution c;
  c.outputs = outputs;
  c.kernel_h = c.kernel_w = kernel;
  c.stride_h = c.stride_w = stride;
  c.pad_top = c.pad_left = c.pad_bottom = c.pad_right = pad;
  const auto inputs = shape()[0] * kernel * kernel;
  c.weights = normal(static_cast<std::size_t>(outputs * inputs), 1 / std::sqrt(static_cast<double>(inputs)));
  c.bias = normal(static_cast<std::size_t>(outputs), 0.1);
  append(std::move(c));
  scale_last();
  return *this;
}

RandomNetwork& RandomNetwork::dense(std::int64_t outputs) {
  const auto inputs = element_count(shape());
  if (shape().size() != 1) append(Reshape{}, {inputs});
  Dense d;
  d.outputs = outputs;
  d.weights = normal(static_cast<std::size_t>(outputs * inputs), 1 / std::sqrt(static_cast<double>(inputs)));
  d.bias = normal(static_cast<std::size_t>(outputs), 0.1);
  append(std::move(d));
  scale_last();
  return *this;
}

RandomNetwork& RandomNetwork::quadratic() {
  const auto s = shape();
  const auto n = static_cast<std::size_t>(element_count(s));
  append(Quadratic{{s, normal(n, 0.02, 0.3)}, {s, normal(n, 0.05, 0.4)}, {s, normal(n, 0.05)}});
  return *this;
}

RandomNetwork& RandomNetwork::average_pool(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  AveragePool p;
  p.kernel_h = p.kernel_w = kernel;
  p.stride_h = p.stride_w = stride;
  p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = pad;
  p.count_include_pad = true;
  append(p);
  return *this;
}

Graph RandomNetwork::finish() {
  calibrate(graph_, images_, kImages, kMargin);
  return std::move(graph_);
}

Graph make_benchmark_model(const std::string& name, std::uint64_t seed) {
  if (name == "cifar10-ngraph") return ngraph_network(seed);
  if (name == "cifar10-deep") return deep_network(seed);
  constexpr int kMaxWidth = 2048, kMaxDepth = 16;
  const auto dense = read_sizes(name, "dense-"), pooled = read_sizes(name, "pooled-"),
             conv = pooled ? pooled : read_sizes(name, "conv-");
  const auto sizes = dense ? dense : conv;
  if (!sizes) fail_user("there is no benchmark model '{}'; expected one of {}", name, kBenchmarkModels);
  const auto [width, depth] = *sizes;
  if (width < 1 || width > kMaxWidth || depth < 1 || depth > kMaxDepth)
    fail_user("benchmark model '{}': width 1 to {} and depth 1 to {} are possible", name, kMaxWidth,
              kMaxDepth);
  RandomNetwork n(name, dense ? Shape{width} : Shape{3, 16, 16}, seed);
  for (int i = 0; i < depth; ++i) {
    if (dense)
      n.dense(width);
    else
      n.convolution(width, 3, i == 1 && !pooled ? 2 : 1, 1);
    n.quadratic();
    if (pooled && i < 2) n.average_pool(2, 2, 0);
  }
  n.dense(10);
  return n.finish();
}

std::string write_benchmark_model(const std::string& name, std::uint64_t seed, const std::string& path) {
  const auto graph = make_benchmark_model(name, seed);
  model::save_onnx(graph, path);
  return graph.metadata.at("weights");
}

}  // namespace velum::bench
