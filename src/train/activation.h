// Activations that a network can be built with: ReLU (for teachers), the bare square, and trainable
// quadratics.
#pragma once

#include <torch/torch.h>

#include <string>
#include <string_view>
#include <vector>

#include "train/fit.h"
#include "train/quadratic_kernel.h"
#include "train/replaced_function.h"

namespace velum::train {

enum class ActivationKind {
  relu,
  square,   // x^2, nothing trained
  layer,    // one a, b, c for the whole layer
  channel,  // for each channel
  element,  // for each element of the feature map
};
ActivationKind parse_activation(std::string_view name);  // throws Error(user) with the names there are
std::string_view to_string(ActivationKind kind);
bool is_trainable(ActivationKind kind);

// Where trainable quadratics start.
inline constexpr double kRangeReach = 1.25;  // of Start::range beyond what was seen
enum class Start {
  fit,       // least squares to ReLU over what each unit sees
  range,     // the same, but no more curvature than keeps the largest of the channel's inputs from growing
  identity,  // y = x (with the least curvature that is allowed)
  fixed,     // 0.125 x^2 + 0.5 x + 0.25
};
Start parse_start(std::string_view name);
std::string_view to_string(Start start);

// What training may make of the coefficients. y = a (x + b/2a)^2 + const is computed as a square on
// ciphertexts, so |a| stays away from zero and the centre -b/2a within reach of the data.
struct CoefficientLimits {
  double min_curvature = 0.02;  // |a| >= this
  double max_centre = 4;        // |b / 2a| <= this
};

// The coefficients of a layer at some moment of a run, on the CPU; as in Activation.
struct StartCoefficients {
  torch::Tensor a, b, c;
};

class ActivationImpl : public torch::nn::Module {
 public:
  // `shape`: of the input without the batch axis, {C, H, W} or {F}. `function`: what stands for ReLU.
  ActivationImpl(ActivationKind kind, std::vector<std::int64_t> shape,
                 ReplacedFunctionPtr function = nullptr);

  // The penalty is that of polynomial kinds only.
  ActivationResult forward(const torch::Tensor& x, const RangePull& pull = {});
  // Trainable kinds only; `inputs` matter to Start::fit and Start::range.
  void start(Start how, const torch::Tensor& inputs, const CoefficientLimits& limits);
  // Coefficients by a least-squares fit to ReLU, or the function in its place, over the given inputs, unit by
  // unit as the kind shares them; a unit whose inputs do not determine a fit gets the one for a standard
  // normal input. `bounded`: as Start::range, |a| <= range_curvature(r) with r = kRangeReach times the
  // largest |input| of the unit's channel.
  void fit(const torch::Tensor& inputs, const CoefficientLimits& limits, bool bounded = false);
  void set(const QuadraticCoefficients& value);
  // Back inside the limits, after an optimiser's step.
  void project(const CoefficientLimits& limits);
  // While a ReLU (or the function in its place) is being replaced: y = share * quadratic + (1 - share) *
  // relu. 1: the quadratic alone.
  void set_share(double share) { share_ = share; }
  double share() const { return share_; }

  ActivationKind kind() const { return kind_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  // Shape {1}, {C, 1, 1} or {C, H, W} ({1} or {F} for vectors); undefined for ReLU.
  torch::Tensor a, b, c;

 private:
  torch::Tensor expanded(const torch::Tensor& coefficient) const;
  std::vector<double> reaches(const torch::Tensor& inputs) const;
  torch::Tensor replaced(const torch::Tensor& x) const;
  QuadraticCoefficients normal_fit() const;

  ActivationKind kind_;
  std::vector<std::int64_t> shape_;
  ReplacedFunctionPtr function_;
  double share_ = 1;
};
TORCH_MODULE(Activation);

}  // namespace velum::train
