// Small networks with random weights, one for each thing a layer can be.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::test {

// 3x3, stride 1, padded so that the map keeps its size.
model::Convolution same_padded(std::int64_t outputs);

// Builds a graph node by node; shapes are inferred at the end. Every method returns the output tensor's name.
class GraphBuilder {
 public:
  explicit GraphBuilder(model::Shape input_shape, unsigned seed = 7);
  std::string input() const { return graph_.input; }
  std::string convolution(const std::string& in, model::Convolution c,
                          std::int64_t channels);  // fills the weights
  std::string dense(const std::string& in, std::int64_t inputs, std::int64_t outputs);
  // Per-element coefficients of the given dims; |a| in [low_a, high_a] with random sign.
  std::string quadratic(const std::string& in, const model::Shape& dims, double low_a = 0.1,
                        double high_a = 0.3);
  std::string node(const std::string& in, model::Operation op);
  std::string node(const std::vector<std::string>& in, model::Operation op);
  std::string flatten(const std::string& in, std::int64_t elements);
  model::Graph finish(const std::string& output);
  std::mt19937& random() { return random_; }
  model::Coefficients coefficients(const model::Shape& dims, double low, double high);

 private:
  std::vector<float> weights(std::size_t count, std::int64_t fan_in);
  model::Graph graph_;
  std::mt19937 random_;
};

}  // namespace velum::test
