// Small networks with random weights and measured ranges, for the planner's tests.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/execute.h"
#include "model/graph.h"
#include "plan/passes.h"

namespace velum::plan::testing {

class NetworkBuilder {
 public:
  NetworkBuilder(model::Shape input, std::uint32_t seed) : random_(seed) {
    graph.name = "test";
    graph.input = tensor_ = "input";
    graph.input_shape = std::move(input);
    graph.input_range = {0, 1, 0.5};
  }

  model::Graph graph;

  const std::string& tensor() const { return tensor_; }
  NetworkBuilder& at(const std::string& tensor) {
    tensor_ = tensor;
    return *this;
  }
  NetworkBuilder& add(model::Operation op, std::vector<std::string> inputs = {}, model::Shape shape = {}) {
    model::Node node;
    node.name = fmt::format("{}{}", model::operation_name(op), graph.nodes.size());
    node.op = std::move(op);
    node.inputs = inputs.empty() ? std::vector<std::string>{tensor_} : std::move(inputs);
    node.output = fmt::format("t{}", graph.nodes.size());
    node.shape = std::move(shape);
    tensor_ = node.output;
    graph.nodes.push_back(std::move(node));
    graph.output = tensor_;
    model::infer_shapes(graph);
    return *this;
  }
  model::Shape shape() const { return graph.shape_of(tensor_); }

  NetworkBuilder& convolution(std::int64_t outputs, std::int64_t kernel, std::int64_t stride = 1,
                              std::int64_t pad = 0, std::int64_t groups = 1, std::int64_t dilation = 1) {
    model::Convolution c;
    c.outputs = outputs;
    c.kernel_h = c.kernel_w = kernel;
    c.stride_h = c.stride_w = stride;
    c.dilation_h = c.dilation_w = dilation;
    c.pad_top = c.pad_left = c.pad_bottom = c.pad_right = pad;
    c.groups = groups;
    const auto inputs = shape()[0] / groups * kernel * kernel;
    c.weights =
        normal(static_cast<std::size_t>(outputs * inputs), 1 / std::sqrt(static_cast<double>(inputs)));
    c.bias = normal(static_cast<std::size_t>(outputs), 0.1);
    return add(std::move(c));
  }
  NetworkBuilder& dense(std::int64_t outputs) {
    model::Dense d;
    d.outputs = outputs;
    const auto inputs = shape()[0];
    d.weights =
        normal(static_cast<std::size_t>(outputs * inputs), 1 / std::sqrt(static_cast<double>(inputs)));
    d.bias = normal(static_cast<std::size_t>(outputs), 0.1);
    return add(std::move(d));
  }
  NetworkBuilder& flatten() { return add(model::Reshape{}); }
  NetworkBuilder& quadratic(float a = 0.25f, float b = 0.5f, float c = 0.1f) {
    return add(model::Quadratic{{{}, {a}}, {{}, {b}}, {{}, {c}}});
  }
  // Coefficients by element, around the given ones.
  NetworkBuilder& varied_quadratic(double a = 0.25, double b = 0.5, double c = 0.1) {
    const auto s = shape();
    const auto n = static_cast<std::size_t>(model::element_count(s));
    return add(model::Quadratic{{s, normal(n, 0.05, a)}, {s, normal(n, 0.1, b)}, {s, normal(n, 0.1, c)}});
  }
  std::vector<float> normal(std::size_t n, double deviation, double mean = 0) {
    std::normal_distribution<double> d(mean, deviation);
    std::vector<float> v(n);
    for (auto& x : v) x = static_cast<float>(d(random_));
    return v;
  }
  std::vector<float> images(std::size_t count) {
    std::uniform_real_distribution<float> d(0, 1);
    std::vector<float> v(count * static_cast<std::size_t>(model::element_count(graph.input_shape)));
    for (auto& x : v) x = d(random_);
    return v;
  }
  // Ranges from random images.
  model::Graph finish() {
    model::calibrate(graph, images(64), 64, 0.25);
    return graph;
  }

 private:
  std::mt19937 random_;
  std::string tensor_;
};

// Fixed rates, threads and memory: plans that do not depend on the machine.
inline Request fixed_request() {
  Request r;
  r.precision_bits = 9;
  r.threads = 2;
  r.memory_bytes = std::uint64_t{16} << 30;
  return r;
}

// 28 x 28 to 10 classes: convolution 5x5 stride 2, quadratic, dense 100, quadratic, dense 10.
inline model::Graph mnist_network() {
  NetworkBuilder b({1, 28, 28}, 1);
  b.convolution(5, 5, 2, 1).varied_quadratic().flatten().dense(100).varied_quadratic().dense(10);
  auto g = b.finish();
  g.name = "mnist";
  return g;
}

}  // namespace velum::plan::testing
