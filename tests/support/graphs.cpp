#include "support/graphs.h"

#include <cmath>

namespace velum::test {

using namespace model;

Convolution same_padded(std::int64_t outputs) {
  return {.outputs = outputs,
          .kernel_h = 3,
          .kernel_w = 3,
          .pad_top = 1,
          .pad_left = 1,
          .pad_bottom = 1,
          .pad_right = 1};
}

GraphBuilder::GraphBuilder(Shape input_shape, unsigned seed) : random_(seed) {
  graph_.name = "test";
  graph_.input = "input";
  graph_.input_shape = std::move(input_shape);
}

std::vector<float> GraphBuilder::weights(std::size_t count, std::int64_t fan_in) {
  std::normal_distribution<float> gauss(0.0F, 1.0F / std::sqrt(static_cast<float>(fan_in)));
  std::vector<float> w(count);
  for (auto& x : w) x = gauss(random_);
  return w;
}

Coefficients GraphBuilder::coefficients(const Shape& dims, double low, double high) {
  std::uniform_real_distribution<float> uniform(static_cast<float>(low), static_cast<float>(high));
  Coefficients c{dims, std::vector<float>(static_cast<std::size_t>(element_count(dims)))};
  for (auto& x : c.values) x = uniform(random_);
  return c;
}

std::string GraphBuilder::node(const std::vector<std::string>& in, Operation op) {
  const auto name = std::string(operation_name(op)) + std::to_string(graph_.nodes.size());
  graph_.nodes.push_back({name, std::move(op), in, name + ".out", {}});
  return graph_.nodes.back().output;
}

std::string GraphBuilder::node(const std::string& in, Operation op) {
  return node(std::vector{in}, std::move(op));
}

std::string GraphBuilder::convolution(const std::string& in, Convolution c, std::int64_t channels) {
  const auto fan_in = channels / c.groups * c.kernel_h * c.kernel_w;
  c.weights = weights(static_cast<std::size_t>(c.outputs * fan_in), fan_in);
  c.bias = weights(static_cast<std::size_t>(c.outputs), 10);
  return node(in, std::move(c));
}

std::string GraphBuilder::dense(const std::string& in, std::int64_t inputs, std::int64_t outputs) {
  Dense d;
  d.outputs = outputs;
  d.weights = weights(static_cast<std::size_t>(inputs * outputs), inputs);
  d.bias = weights(static_cast<std::size_t>(outputs), 10);
  return node(in, std::move(d));
}

std::string GraphBuilder::quadratic(const std::string& in, const Shape& dims, double low_a, double high_a) {
  Quadratic q{coefficients(dims, low_a, high_a), coefficients(dims, 0.2, 0.8), coefficients(dims, -0.2, 0.2)};
  for (auto& a : q.a.values)
    if (random_() & 1) a = -a;
  return node(in, std::move(q));
}

std::string GraphBuilder::flatten(const std::string& in, std::int64_t elements) {
  const auto out = node(in, Reshape{});
  graph_.nodes.back().shape = {elements};
  return out;
}

Graph GraphBuilder::finish(const std::string& output) {
  graph_.output = output;
  infer_shapes(graph_);
  return std::move(graph_);
}

}  // namespace velum::test
