#include "train/replaced_function.h"

#include <cmath>
#include <map>

#include "base/error.h"

namespace velum::train {

namespace {

using torch::Tensor;
using Inputs = std::vector<Tensor>;
using model::Function;

// e^x - 1 where x is below 0, without the overflow above.
Tensor expm1_below(const Tensor& x) {
  return torch::expm1(x.clamp_max(0));
}

Tensor as_numbers(const Tensor& truth, const Tensor& like) {
  return truth.to(like.scalar_type());
}

using Compute = Tensor (*)(const Inputs& in, double alpha, double beta);

const std::map<std::string, Compute, std::less<>>& functions() {
  static const std::map<std::string, Compute, std::less<>> table{
      {"Abs", [](const Inputs& in, double, double) { return in[0].abs(); }},
      {"Celu",
       [](const Inputs& in, double a, double) { return in[0].clamp_min(0) + a * expm1_below(in[0] / a); }},
      {"Clip", [](const Inputs& in, double low, double high) { return in[0].clamp(low, high); }},
      {"Div", [](const Inputs& in, double, double) { return in[0] / in[1]; }},
      {"Elu", [](const Inputs& in, double a, double) { return in[0].clamp_min(0) + a * expm1_below(in[0]); }},
      {"Erf", [](const Inputs& in, double, double) { return torch::erf(in[0]); }},
      {"Exp", [](const Inputs& in, double, double) { return torch::exp(in[0]); }},
      {"Gelu", [](const Inputs& in, double tangent,
                  double) { return torch::gelu(in[0], tangent == 0 ? "none" : "tanh"); }},
      {"Greater", [](const Inputs& in, double, double) { return as_numbers(in[0] > in[1], in[0]); }},
      {"GreaterOrEqual", [](const Inputs& in, double, double) { return as_numbers(in[0] >= in[1], in[0]); }},
      {"HardSigmoid",
       [](const Inputs& in, double slope, double offset) { return (slope * in[0] + offset).clamp(0, 1); }},
      {"HardSwish", [](const Inputs& in, double, double) { return in[0] * (in[0] / 6 + 0.5).clamp(0, 1); }},
      {"LeakyRelu",
       [](const Inputs& in, double a, double) { return in[0].clamp_min(0) + a * in[0].clamp_max(0); }},
      {"Less", [](const Inputs& in, double, double) { return as_numbers(in[0] < in[1], in[0]); }},
      {"LessOrEqual", [](const Inputs& in, double, double) { return as_numbers(in[0] <= in[1], in[0]); }},
      {"Log", [](const Inputs& in, double, double) { return torch::log(in[0]); }},
      {"Max", [](const Inputs& in, double, double) { return torch::maximum(in[0], in[1]); }},
      {"Min", [](const Inputs& in, double, double) { return torch::minimum(in[0], in[1]); }},
      {"Mish", [](const Inputs& in, double, double) { return in[0] * torch::tanh(torch::softplus(in[0])); }},
      {"PRelu",
       [](const Inputs& in, double, double) { return in[0].clamp_min(0) + in[1] * in[0].clamp_max(0); }},
      {"Reciprocal", [](const Inputs& in, double, double) { return in[0].reciprocal(); }},
      {"Selu", [](const Inputs& in, double a,
                  double g) { return g * (in[0].clamp_min(0) + a * expm1_below(in[0])); }},
      {"Sigmoid", [](const Inputs& in, double, double) { return torch::sigmoid(in[0]); }},
      {"Softplus", [](const Inputs& in, double, double) { return torch::softplus(in[0]); }},
      {"Softsign", [](const Inputs& in, double, double) { return in[0] / (1 + in[0].abs()); }},
      {"Sqrt", [](const Inputs& in, double, double) { return torch::sqrt(in[0]); }},
      {"Swish", [](const Inputs& in, double a, double) { return in[0] * torch::sigmoid(a * in[0]); }},
      {"Tanh", [](const Inputs& in, double, double) { return torch::tanh(in[0]); }},
      {"ThresholdedRelu",
       [](const Inputs& in, double a, double) { return in[0] * as_numbers(in[0] > a, in[0]); }},
      {"Where", [](const Inputs& in, double, double) { return torch::where(in[0] != 0, in[1], in[2]); }},
  };
  return table;
}

Tensor tensor_of(const model::Coefficients& c, const model::Shape& shape) {
  const auto wide = model::broadcast(c, shape);
  return torch::tensor(at::ArrayRef<double>(wide)).to(torch::kFloat32).reshape(shape);
}

}  // namespace

ReplacedFunction::ReplacedFunction(const model::Graph& graph, const model::Activation& activation) {
  std::map<std::string, std::size_t> places{{activation.input, 0}};
  for (const auto i : activation.nodes) {
    const auto& n = graph.nodes[i];
    Step step{n.op, {}, {}};
    for (const auto& in : n.inputs) step.inputs.push_back(places.at(in));
    if (const auto* f = std::get_if<Function>(&n.op)) {
      if (!functions().contains(f->op))
        fail_user("model {}: node {} is {}, which the trainer cannot replace", graph.name, n.name, f->op);
      if (name_.empty()) name_ = f->op;
    } else if (const auto* s = std::get_if<model::ScaleShift>(&n.op)) {
      step.constants = {tensor_of(s->scale, n.shape), tensor_of(s->shift, n.shape)};
    } else if (const auto* q = std::get_if<model::Quadratic>(&n.op)) {
      step.constants = {tensor_of(q->a, n.shape), tensor_of(q->b, n.shape), tensor_of(q->c, n.shape)};
    }
    steps_.push_back(std::move(step));
    places[n.output] = steps_.size();
  }
  const auto* only = steps_.size() == 1 ? std::get_if<Function>(&steps_[0].op) : nullptr;
  scales_ = name_ == "PRelu" || (only && (only->op == "LeakyRelu" || only->op == "Abs"));
}

Tensor ReplacedFunction::operator()(const Tensor& x) const {
  std::vector<Tensor> values{x};
  for (const auto& step : steps_) {
    Inputs in;
    for (const auto k : step.inputs) in.push_back(values[k]);
    std::vector<Tensor> constants;
    for (const auto& c : step.constants) constants.push_back(c.to(x.options()));
    Tensor y;
    if (const auto* f = std::get_if<Function>(&step.op)) {
      y = functions().at(f->op)(in, f->alpha, f->beta);
    } else if (std::holds_alternative<model::Relu>(step.op)) {
      y = torch::relu(in[0]);
    } else if (std::holds_alternative<model::ScaleShift>(step.op)) {
      y = in[0] * constants[0] + constants[1];
    } else if (std::holds_alternative<model::Quadratic>(step.op)) {
      y = (in[0] * constants[0] + constants[1]) * in[0] + constants[2];
    } else if (std::holds_alternative<model::Multiply>(step.op)) {
      y = in[0] * in[1];
    } else {
      const auto& factors = std::get<model::Combine>(step.op).factors;
      y = in[0] * factors[0];
      for (std::size_t k = 1; k < in.size(); ++k) y = y + in[k] * factors[k];
    }
    values.push_back(std::move(y));
  }
  return values.back();
}

}  // namespace velum::train
