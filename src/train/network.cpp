#include "train/network.h"

#include <map>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "train/norm_kernel.h"
#include "train/pool_kernel.h"

namespace velum::train {

namespace {

namespace F = torch::nn::functional;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// Parameters of a layer that has no module of torch's own.
struct ScaleShiftHolderImpl : torch::nn::Module {
  explicit ScaleShiftHolderImpl(const model::Shape& shape) {
    scale = register_buffer("scale", torch::ones(shape));
    shift = register_buffer("shift", torch::zeros(shape));
  }
  torch::Tensor scale, shift;
};

torch::Tensor pooled(const torch::Tensor& x, const model::AveragePool& p) {
  const auto sum = [&](const torch::Tensor& t) {
    return average_pool(padded(t, p.pad_top, p.pad_left, p.pad_bottom, p.pad_right, 0), p.kernel_h,
                        p.kernel_w, p.stride_h, p.stride_w);
  };
  const bool padding = p.pad_top || p.pad_left || p.pad_bottom || p.pad_right;
  if (!padding || p.count_include_pad) return sum(x);
  return sum(x) / sum(torch::ones({1, 1, x.size(2), x.size(3)}, x.options()));
}

torch::Tensor broadcast_tensor(const model::Coefficients& c, const model::Shape& shape) {
  const auto wide = model::broadcast(c, shape);
  return torch::tensor(at::ArrayRef<double>(wide)).to(torch::kFloat32).reshape(shape);
}

// A fixed affine map by rows: what each output element reads, weighted, added up by row.
struct LinearMapImpl : torch::nn::Module {
  explicit LinearMapImpl(const model::Linear& l) {
    const auto outputs = static_cast<std::int64_t>(l.row_begin.size()) - 1;
    std::vector<std::int64_t> from(l.columns.begin(), l.columns.end()), to;
    for (std::int64_t row = 0; row < outputs; ++row)
      to.insert(to.end(),
                l.row_begin[static_cast<std::size_t>(row) + 1] - l.row_begin[static_cast<std::size_t>(row)],
                row);
    columns = register_buffer("columns", torch::tensor(at::ArrayRef<std::int64_t>(from)));
    rows = register_buffer("rows", torch::tensor(at::ArrayRef<std::int64_t>(to)));
    weights = register_buffer("weights", l.weights.empty() ? torch::ones({columns.numel()})
                                                           : torch::tensor(at::ArrayRef<float>(l.weights)));
    bias = register_buffer(
        "bias", l.bias.empty() ? torch::zeros({outputs}) : torch::tensor(at::ArrayRef<float>(l.bias)));
  }
  torch::Tensor apply_to(const torch::Tensor& x) const {
    const auto terms = x.flatten(1).index_select(1, columns) * weights;
    return torch::zeros({x.size(0), bias.size(0)}, x.options()).index_add(1, rows, terms) + bias;
  }
  torch::Tensor columns, rows, weights, bias;
};

// Null for layers without parameters.
std::shared_ptr<torch::nn::Module> make_module(const LayerSpec& layer, const model::Shape& input) {
  using Made = std::shared_ptr<torch::nn::Module>;
  return std::visit(
      Overloaded{
          [&](const ConvolutionSpec& s) -> Made { return make_convolution(s, input.at(0)).ptr(); },
          [&](const DenseSpec& s) -> Made {
            return torch::nn::Linear(torch::nn::LinearOptions(input.at(0), s.outputs).bias(s.bias)).ptr();
          },
          [&](const BatchNormSpec&) -> Made {
            if (input.size() == 3) return torch::nn::BatchNorm2d(input[0]).ptr();
            return torch::nn::BatchNorm1d(input.at(0)).ptr();
          },
          [&](const ScaleShiftSpec& s) -> Made {
            auto holder = std::make_shared<ScaleShiftHolderImpl>(layer.shape);
            if (s.values) {
              holder->scale.copy_(broadcast_tensor(s.values->scale, layer.shape));
              holder->shift.copy_(broadcast_tensor(s.values->shift, layer.shape));
            }
            return holder;
          },
          [&](const ActivationSpec& s) -> Made { return Activation(s.kind, layer.shape, s.function).ptr(); },
          [&](const model::Linear& l) -> Made { return std::make_shared<LinearMapImpl>(l); },
          [](const auto&) -> Made { return nullptr; },
      },
      layer.op);
}

}  // namespace

NetworkImpl::NetworkImpl(NetworkSpec spec) : spec_(std::move(spec)) {
  std::map<std::string, std::size_t> index{{"input", 0}};
  std::vector<const model::Shape*> shapes{&spec_.input_shape};
  last_use_.assign(spec_.layers.size() + 1, 0);
  for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
    const auto& layer = spec_.layers[i];
    std::vector<std::size_t> in;
    for (const auto& name : layer.inputs) {
      const auto found = index.find(name);
      if (found == index.end())
        fail_user("network {}: layer {} reads {}, which no layer before it makes", spec_.name, layer.name,
                  name);
      in.push_back(found->second);
      last_use_[found->second] = i;
    }
    modules_.push_back(make_module(layer, *shapes[in.at(0)]));
    if (modules_.back()) register_module(layer.name, modules_.back());
    inputs_.push_back(std::move(in));
    index[layer.name] = i + 1;
    shapes.push_back(&layer.shape);
  }
  last_use_.back() = spec_.layers.size();  // the logits are kept
}

torch::Tensor NetworkImpl::apply(std::size_t i, const std::vector<torch::Tensor>& in, const RangePull& pull,
                                 Products products, torch::Tensor& penalty) {
  const auto& layer = spec_.layers[i];
  const auto& x = in.at(0);
  // The constructor made the module for this very operation.
  const auto module = [&]<typename Impl>(std::type_identity<Impl>) -> Impl& {
    return *modules_[i]->template as<Impl>();
  };
  return std::visit(
      Overloaded{
          [&](const ConvolutionSpec& s) {
            return convolve(module(std::type_identity<torch::nn::Conv2dImpl>{}), s, x, products);
          },
          [&](const DenseSpec&) {
            return dense(module(std::type_identity<torch::nn::LinearImpl>{}), x, products);
          },
          [&](const BatchNormSpec&) {
            return x.dim() == 4 ? batch_norm(module(std::type_identity<torch::nn::BatchNorm2dImpl>{}), x)
                                : module(std::type_identity<torch::nn::BatchNorm1dImpl>{}).forward(x);
          },
          [&](const ScaleShiftSpec&) {
            const auto& p = module(std::type_identity<ScaleShiftHolderImpl>{});
            return x * p.scale + p.shift;
          },
          [&](const ActivationSpec&) {
            auto& act = module(std::type_identity<ActivationImpl>{});
            if (starting_) act.start(start_, x, *starting_);
            auto result = act.forward(x, pull);
            if (result.penalty.defined())
              penalty = penalty.defined() ? penalty + result.penalty : result.penalty;
            return result.y;
          },
          [&](const DropoutSpec& s) { return torch::dropout(x, s.probability, is_training()); },
          [&](const model::AveragePool& p) { return pooled(x, p); },
          [&](const model::MaxPool& p) {
            const auto& w = p.window;
            return F::max_pool2d(
                padded(x, w.pad_top, w.pad_left, w.pad_bottom, w.pad_right, -1e30),
                F::MaxPool2dFuncOptions({w.kernel_h, w.kernel_w}).stride({w.stride_h, w.stride_w}));
          },
          [&](const model::Pad& p) { return padded(x, p.top, p.left, p.bottom, p.right, 0); },
          [&](const model::GlobalAveragePool&) {
            return x.mean({2, 3}, true);
          },
          [&](const model::Reshape&) {
            auto dims = layer.shape;
            dims.insert(dims.begin(), x.size(0));
            return x.reshape(dims);
          },
          [&](const model::Combine& c) {
            const auto scaled = [&](std::size_t k) {
              return c.factors.at(k) == 1 ? in[k] : in[k] * c.factors.at(k);
            };
            auto sum = scaled(0);
            for (std::size_t k = 1; k < in.size(); ++k) sum = sum + scaled(k);
            return sum;
          },
          [&](const model::Concat&) { return torch::cat(in, 1); },
          [&](const model::Multiply&) { return in[0] * in[1]; },
          [&](const model::Transpose& t) {
            std::vector<std::int64_t> axes{0};
            for (const int axis : t.axes) axes.push_back(axis + 1);
            return x.permute(axes).contiguous();
          },
          [&](const model::Linear&) {
            auto dims = layer.shape;
            dims.insert(dims.begin(), x.size(0));
            return module(std::type_identity<LinearMapImpl>{}).apply_to(x).reshape(dims);
          },
      },
      layer.op);
}

NetworkOutput NetworkImpl::run(const torch::Tensor& images, const RangePull& pull, const Observer& observer,
                               Products products) {
  std::vector<torch::Tensor> values(spec_.layers.size() + 1);
  values[0] = images;
  torch::Tensor penalty;
  for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
    std::vector<torch::Tensor> in;
    for (const auto k : inputs_[i]) in.push_back(values[k]);
    values[i + 1] = apply(i, in, pull, products, penalty);
    if (observer) observer(spec_.layers[i], in[0], values[i + 1]);
    for (const auto k : inputs_[i])
      if (last_use_[k] == i) values[k].reset();
  }
  return {values.back(), penalty};
}

void NetworkImpl::start_activations(const torch::Tensor& images, Start how, const CoefficientLimits& limits) {
  torch::NoGradGuard no_grad;
  starting_ = &limits;
  start_ = how;
  run(images, {}, nullptr);
  starting_ = nullptr;
}

void NetworkImpl::project_activations(const CoefficientLimits& limits) {
  for (auto& act : activations()) act->project(limits);
}

void NetworkImpl::set_batch_statistics(bool on) {
  for (const auto& child : children())
    if (child->as<torch::nn::BatchNorm2d>() || child->as<torch::nn::BatchNorm1d>()) child->train(on);
}

std::vector<Activation> NetworkImpl::activations() const {
  std::vector<Activation> out;
  for (const auto& child : children())
    if (auto act = std::dynamic_pointer_cast<ActivationImpl>(child)) out.emplace_back(std::move(act));
  return out;
}

torch::Tensor NetworkImpl::tensor(const std::string& layer, const std::string& which) const {
  const auto children = named_children();
  const auto* child = children.find(layer);
  if (!child) return {};
  const auto parameters = (*child)->named_parameters(false);
  if (const auto* t = parameters.find(which)) return *t;
  const auto buffers = (*child)->named_buffers(false);
  if (const auto* t = buffers.find(which)) return *t;
  return {};
}

}  // namespace velum::train
