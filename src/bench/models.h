// Networks with random weights, for benchmarks: how long a network takes does not depend on what it has
// learned. The same name and seed give the same network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::bench {

// Builds layer by layer. The weights of every layer are scaled so that what an activation reads has a root
// mean square of 1 over drawn images, and its ranges are recorded from them.
class RandomNetwork {
 public:
  RandomNetwork(std::string name, model::Shape input, std::uint64_t seed);
  RandomNetwork& convolution(std::int64_t outputs, std::int64_t kernel, std::int64_t stride,
                             std::int64_t pad);
  RandomNetwork& dense(std::int64_t outputs);  // flattens what has more axes than one
  RandomNetwork& quadratic();                  // coefficients by element
  RandomNetwork& average_pool(std::int64_t kernel, std::int64_t stride, std::int64_t pad);
  model::Graph finish();

 private:
  model::Shape shape() const;
  std::vector<float> normal(std::size_t count, double deviation, double mean = 0);
  void append(model::Operation op, model::Shape target = {});
  void scale_last();  // the linear layer that was added last

  model::Graph graph_;
  std::uint64_t state_;
  std::vector<float> images_;
};

// Smooth images with noise, in [0, 1], black and white ones among them: [count][shape].
std::vector<float> drawn_images(const model::Shape& shape, std::size_t count, std::uint64_t seed);

// NAME: cifar10-ngraph, cifar10-deep, dense-WIDTHxDEPTH, conv-CHANNELSxDEPTH or
// pooled-CHANNELSxDEPTH. Throws Error(user) for
// another.
model::Graph make_benchmark_model(const std::string& name, std::uint64_t seed);
// Writes it as an ONNX file; returns what its weights are from.
std::string write_benchmark_model(const std::string& name, std::uint64_t seed, const std::string& path);
inline constexpr const char* kBenchmarkModels =
    "cifar10-ngraph, cifar10-deep, dense-WIDTHxDEPTH, conv-CHANNELSxDEPTH, pooled-CHANNELSxDEPTH";

}  // namespace velum::bench
