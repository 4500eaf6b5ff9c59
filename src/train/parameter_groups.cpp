#include "train/parameter_groups.h"

#include "train/adamw.h"

namespace velum::train {

namespace {

template <typename Optimiser, typename Options>
std::unique_ptr<torch::optim::Optimizer> make(const ParameterGroups& groups, Options base,
                                              const TrainOptions& o) {
  std::vector<torch::optim::OptimizerParamGroup> out;
  const auto add = [&](const std::vector<torch::Tensor>& parameters, double decay) {
    if (parameters.empty()) return;
    auto options = base;
    options.weight_decay(decay);
    out.emplace_back(parameters, std::make_unique<Options>(options));
  };
  add(groups.weights, o.weight_decay);
  add(groups.others, 0);
  add(groups.coefficients, o.coefficient_decay);
  return std::make_unique<Optimiser>(out, base);
}

// What the coefficients' rate is of the weights'. With coefficients s * p and p optimised, a step of p is
// worth s steps; Adam's step does not depend on the gradient's size, SGD's shrinks by s once more.
double coefficient_factor(const TrainOptions& o) {
  const double s = o.coefficient_scale;
  return o.coefficient_rate * (o.optimiser == "sgd" ? s * s : s);
}

}  // namespace

ParameterGroups group_parameters(const NetworkImpl& network) {
  ParameterGroups g;
  for (const auto& item : network.named_children())
    for (const auto& parameter : item.value()->named_parameters()) {
      if (item.value()->as<ActivationImpl>())
        g.coefficients.push_back(parameter.value());
      else if (parameter.value().dim() > 1)
        g.weights.push_back(parameter.value());
      else
        g.others.push_back(parameter.value());
    }
  return g;
}

std::unique_ptr<torch::optim::Optimizer> make_optimiser(const ParameterGroups& groups,
                                                        const TrainOptions& o) {
  if (o.optimiser == "sgd")
    return make<torch::optim::SGD>(groups,
                                   torch::optim::SGDOptions(o.learning_rate).momentum(0.9).nesterov(true), o);
  // AdamW's decay is times the learning rate, SGD's times the gradient's size: the same number suits neither
  // alike.
  return make<FusedAdamW>(groups, torch::optim::AdamWOptions(o.learning_rate), o);
}

void set_learning_rates(torch::optim::Optimizer& optimiser, const ParameterGroups& groups,
                        const TrainOptions& o, double rate, bool coefficients_alone) {
  for (auto& group : optimiser.param_groups()) {
    const bool coefficients =
        !groups.coefficients.empty() && group.params().front().is_same(groups.coefficients.front());
    group.options().set_lr(coefficients ? rate * coefficient_factor(o) : coefficients_alone ? 0 : rate);
  }
}

}  // namespace velum::train
