// A network description with parameters: the torch module that runs and trains it.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "train/activation.h"
#include "train/affine_layers.h"
#include "train/network_spec.h"

namespace velum::train {

struct NetworkOutput {
  torch::Tensor logits;
  torch::Tensor penalty;  // sum of the activations' range penalties; undefined where there are none
};

class NetworkImpl : public torch::nn::Module {
 public:
  // Parameters are drawn from torch's default generator.
  explicit NetworkImpl(NetworkSpec spec);

  // Called with every layer's output as it is made.
  using Observer =
      std::function<void(const LayerSpec& layer, const torch::Tensor& input, const torch::Tensor& output)>;

  torch::Tensor forward(const torch::Tensor& images) { return run(images, {}, nullptr).logits; }
  NetworkOutput run(const torch::Tensor& images, const RangePull& pull, const Observer& observer,
                    Products products = Products::float32);
  // Starts every trainable activation on what it sees of these images, front to back (later layers see
  // started ones).
  void start_activations(const torch::Tensor& images, Start how, const CoefficientLimits& limits);
  void fit_activations(const torch::Tensor& images, const CoefficientLimits& limits) {
    start_activations(images, Start::fit, limits);
  }
  void project_activations(const CoefficientLimits& limits);
  // Batch norms by the statistics of each batch (true, as train() sets them) or by the running ones, as when
  // the network is used.
  void set_batch_statistics(bool on);

  const NetworkSpec& spec() const { return spec_; }
  std::vector<Activation> activations() const;
  // The layer's tensor as stored ("weight", "bias", "scale", "shift", "running_mean", ...); undefined if
  // absent.
  torch::Tensor tensor(const std::string& layer, const std::string& which) const;

 private:
  torch::Tensor apply(std::size_t layer, const std::vector<torch::Tensor>& inputs, const RangePull& pull,
                      Products products, torch::Tensor& penalty);

  NetworkSpec spec_;
  std::vector<std::shared_ptr<torch::nn::Module>> modules_;  // of each layer; null where it has no parameters
  std::vector<std::vector<std::size_t>> inputs_;  // of each layer: 0 is the image, i + 1 layer i's output
  std::vector<std::size_t> last_use_;             // by the same numbering
  const CoefficientLimits* starting_ = nullptr;   // set while start_activations runs
  Start start_ = Start::fit;
};
TORCH_MODULE(Network);

}  // namespace velum::train
