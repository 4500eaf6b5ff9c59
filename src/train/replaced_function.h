// The activation of a network made elsewhere, as torch computes it: what its quadratic is fitted to.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "model/activations.h"
#include "model/graph.h"

namespace velum::train {

class ReplacedFunction {
 public:
  // Of the graph's nodes from activation.input to activation.output. Throws Error(user) for a node that torch
  // does not run here.
  ReplacedFunction(const model::Graph& graph, const model::Activation& activation);

  torch::Tensor operator()(const torch::Tensor& x) const;  // [images, ...], differentiable
  // f(s x) = s f(x) for s > 0, as of ReLU and its relatives with a slope.
  bool scales() const { return scales_; }
  const std::string& name() const { return name_; }  // of its first function, for messages

 private:
  struct Step {
    model::Operation op;
    std::vector<std::size_t> inputs;       // 0: x; k: step k - 1
    std::vector<torch::Tensor> constants;  // of a ScaleShift or Quadratic
  };
  std::vector<Step> steps_;
  std::string name_;
  bool scales_ = false;
};

// Nothing: ReLU.
using ReplacedFunctionPtr = std::shared_ptr<const ReplacedFunction>;

}  // namespace velum::train
