#include "train/rounding.h"

#include <cmath>
#include <map>
#include <string>

namespace velum::train {

namespace {

constexpr double kNormEpsilon = 1e-5;  // torch's default, which BatchNormSpec uses
constexpr double kLeast = 1e-12;       // channels that a norm has switched off are not divided by zero

bool passes_through(const LayerOperation& op) {
  return std::holds_alternative<DropoutSpec>(op) || std::holds_alternative<model::AveragePool>(op) ||
         std::holds_alternative<model::GlobalAveragePool>(op) || std::holds_alternative<model::Reshape>(op) ||
         std::holds_alternative<model::Pad>(op);
}

// The quadratic whose output reaches this tensor through pools and reshapes only; null where there is none.
const LayerSpec* quadratic_before(const std::map<std::string, const LayerSpec*>& by_name,
                                  std::string tensor) {
  while (true) {
    const auto found = by_name.find(tensor);
    if (found == by_name.end()) return nullptr;
    const auto* layer = found->second;
    if (const auto* act = std::get_if<ActivationSpec>(&layer->op))
      return act->kind == ActivationKind::relu ? nullptr : layer;
    if (!passes_through(layer->op)) return nullptr;
    tensor = layer->inputs[0];
  }
}

}  // namespace

torch::Tensor rounded(const torch::Tensor& weight, const torch::Tensor& rows, const torch::Tensor& columns,
                      int bits) {
  std::vector<std::int64_t> row_shape(static_cast<std::size_t>(weight.dim()), 1), column_shape = row_shape;
  row_shape[0] = rows.numel();
  column_shape[1] = columns.numel();
  const auto folded = rows.reshape(row_shape) * columns.reshape(column_shape);
  const auto largest = (weight * folded).abs().max();
  const auto step = (largest / (std::exp2(bits - 1) - 1)).clamp_min(kLeast);
  return torch::round(weight * folded / step) * step / folded;
}

RoundedWeights::RoundedWeights(const NetworkImpl& network, int bits) : bits_(bits) {
  std::map<std::string, const LayerSpec*> by_name;
  for (const auto& layer : network.spec().layers) by_name[layer.name] = &layer;
  for (const auto& layer : network.spec().layers) {
    if (!std::holds_alternative<ConvolutionSpec>(layer.op) && !std::holds_alternative<DenseSpec>(layer.op))
      continue;
    Layer out;
    out.weight = network.tensor(layer.name, "weight").detach();
    for (const auto& reader : network.spec().layers)
      if (std::holds_alternative<BatchNormSpec>(reader.op) && reader.inputs[0] == layer.name) {
        out.norm_scale = network.tensor(reader.name, "weight").detach();
        out.norm_variance = network.tensor(reader.name, "running_var").detach();
      }
    if (const auto* quadratic = quadratic_before(by_name, layer.inputs[0])) {
      const auto a = network.tensor(quadratic->name, "a").detach();
      // Expanded later: a's values change with every step, its shape does not.
      out.curvature = a.expand(quadratic->shape);
    }
    layers_.push_back(std::move(out));
  }
}

void RoundedWeights::apply() {
  torch::NoGradGuard no_grad;
  for (auto& layer : layers_) {
    const auto inputs = layer.weight.size(1);
    auto rows = torch::ones({layer.weight.size(0)}, layer.weight.options()),
         columns = torch::ones({inputs}, layer.weight.options());
    if (layer.norm_scale.defined())
      rows = (layer.norm_scale.abs() / torch::sqrt(layer.norm_variance + kNormEpsilon)).clamp_min(kLeast);
    if (layer.curvature.defined()) {
      const auto& a = layer.curvature;
      // By channel for feature maps; element by element where a dense layer reads them all.
      const auto flat =
          a.numel() == inputs ? a.reshape({-1}).abs() : a.reshape({a.size(0), -1}).square().mean(1).sqrt();
      // After a pool a dense layer reads fewer elements than there are quadratics: their channel's mean.
      if (inputs % flat.numel() == 0)
        columns = flat.repeat_interleave(inputs / flat.numel()).clamp_min(kLeast);
    }
    layer.real = layer.weight.clone();
    layer.weight.copy_(rounded(layer.weight, rows, columns, bits_));
  }
}

void RoundedWeights::restore() {
  torch::NoGradGuard no_grad;
  for (auto& layer : layers_) layer.weight.copy_(layer.real);
}

}  // namespace velum::train
