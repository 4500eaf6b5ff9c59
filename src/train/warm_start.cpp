#include "train/warm_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/error.h"
#include "train/device.h"

namespace velum::train {

namespace {

constexpr double kNormEpsilon = 1e-5;  // torch's default, which BatchNormSpec uses

template <typename T>
bool is(const LayerSpec& layer) {
  return std::holds_alternative<T>(layer.op);
}

const LayerSpec* find(const NetworkSpec& spec, const std::string& name) {
  for (const auto& layer : spec.layers)
    if (layer.name == name) return &layer;
  return nullptr;
}

bool restores(const LayerSpec& layer) {
  const auto* scale = std::get_if<ScaleShiftSpec>(&layer.op);
  return scale && scale->restores;
}

// The scale behind the activation that reads this norm; null where there is none.
const LayerSpec* restoring_scale(const NetworkSpec& spec, const LayerSpec& norm) {
  for (const auto& layer : spec.layers) {
    if (!restores(layer)) continue;
    const auto* act = find(spec, layer.inputs[0]);
    if (act && act->inputs[0] == norm.name) return &layer;
  }
  return nullptr;
}

// A norm belongs to a convolution or dense layer, or to a sum of branches: a scale anywhere else (of the
// input, say) stays as it is.
bool follows_affine(const NetworkSpec& spec, const LayerSpec& layer) {
  const auto* before = find(spec, layer.inputs.at(0));
  return before && (is<ConvolutionSpec>(*before) || is<DenseSpec>(*before) || is<model::Combine>(*before));
}

struct Same {
  bool operator()(const ConvolutionSpec& l, const ConvolutionSpec& r) const {
    return l.outputs == r.outputs && l.kernel_h == r.kernel_h && l.kernel_w == r.kernel_w &&
           l.stride_h == r.stride_h && l.stride_w == r.stride_w && l.groups == r.groups &&
           l.dilation_h == r.dilation_h && l.dilation_w == r.dilation_w && l.pad_top == r.pad_top &&
           l.pad_left == r.pad_left && (!r.bias || l.bias);
  }
  bool operator()(const DenseSpec& l, const DenseSpec& r) const {
    return l.outputs == r.outputs && (!r.bias || l.bias);
  }
  bool operator()(const BatchNormSpec&, const ScaleShiftSpec&) const { return true; }
  bool operator()(const model::AveragePool& l, const model::MaxPool& r) const { return (*this)(l, r.window); }
  bool operator()(const model::AveragePool& l, const model::AveragePool& r) const {
    return l.kernel_h == r.kernel_h && l.kernel_w == r.kernel_w && l.stride_h == r.stride_h &&
           l.stride_w == r.stride_w;
  }
  template <typename L, typename R>
  bool operator()(const L&, const R&) const {
    return std::is_same_v<L, R>;
  }
};

// By channel over images and positions.
struct Statistics {
  torch::Tensor mean, variance;
};

std::map<std::string, Statistics> statistics_of(Network& network, const torch::Tensor& images) {
  constexpr std::int64_t batch = 256;
  struct Sums {
    torch::Tensor first, second;
    double count = 0;
  };
  std::map<std::string, Sums> sums;
  torch::NoGradGuard no_grad;
  const auto device = device_of(*network);
  for (std::int64_t begin = 0; begin < images.size(0); begin += batch)
    network->run(images.slice(0, begin, std::min(begin + batch, images.size(0))).to(device), {},
                 [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
                   const auto by_channel = out.transpose(0, 1).reshape({out.size(1), -1}).to(torch::kFloat64);
                   auto& s = sums[layer.name];
                   const auto first = by_channel.sum(1), second = by_channel.square().sum(1);
                   s.first = s.first.defined() ? s.first + first : first;
                   s.second = s.second.defined() ? s.second + second : second;
                   s.count += static_cast<double>(by_channel.size(1));
                 });
  std::map<std::string, Statistics> out;
  for (const auto& [name, s] : sums) {
    const auto mean = s.first / s.count;
    out[name] = {mean, (s.second / s.count - mean.square()).clamp_min(1e-6)};
  }
  return out;
}

// The first element of each channel; scales that differ within a channel have no counterpart.
torch::Tensor by_channel(const torch::Tensor& t, const std::string& layer) {
  const auto rows = t.reshape({t.size(0), -1}).to(torch::kFloat64);
  auto first = rows.select(1, 0);
  if (!torch::allclose(rows, first.unsqueeze(1).expand_as(rows)))
    fail_user(
        "layer {}: its scale differs within a channel, which no batch norm can take over; export the "
        "network with batch norm by channel",
        layer);
  return first;
}

// The coefficients of a loaded quadratic, which has them element by element, for one that shares them.
void copy_coefficients(NetworkImpl& to, const LayerSpec& layer, const NetworkImpl& from,
                       const std::string& source) {
  const auto kind = std::get<ActivationSpec>(layer.op).kind;
  for (const char* which : {"a", "b", "c"}) {
    auto mine = to.tensor(layer.name, which);
    const auto theirs =
        from.tensor(source, which).to(mine.device()).expand(layer.shape).reshape({mine.numel(), -1});
    const auto shared = theirs.select(1, 0);
    const bool fits = torch::equal(theirs, shared.unsqueeze(1).expand_as(theirs)) &&
                      (is_trainable(kind) || torch::equal(shared.reshape(mine.sizes()), mine));
    if (!fits)
      fail_user(
          "layer {}: --activation {} cannot hold its coefficients, which differ from element to element; use "
          "--activation element",
          layer.name, to_string(kind));
    mine.copy_(shared.reshape(mine.sizes()));
  }
}

}  // namespace

std::set<std::string> wide_activations(Network& network, const torch::Tensor& images) {
  const bool was_training = network->is_training();
  network->eval();
  const auto statistics = statistics_of(network, images);
  network->train(was_training);
  std::set<std::string> wide;
  for (const auto& layer : network->spec().layers) {
    const auto* act = std::get_if<ActivationSpec>(&layer.op);
    if (!act || act->kind != ActivationKind::relu) continue;
    if (act->function && !act->function->scales()) continue;  // at another size it is another function
    const auto seen = statistics.find(layer.inputs[0]);
    if (seen == statistics.end()) continue;  // of the input itself
    const auto size = torch::sqrt(seen->second.variance + seen->second.mean.square());
    if (size.max().item<double>() > kWideInput) wide.insert(layer.name);
  }
  return wide;
}

std::string restored_output(const NetworkSpec& spec, const std::string& activation) {
  for (const auto& layer : spec.layers)
    if (restores(layer) && layer.inputs[0] == activation) return layer.name;
  return activation;
}

NetworkSpec trainable_spec(const NetworkSpec& loaded, ActivationKind kind,
                           const std::set<std::string>& wide) {
  NetworkSpec out;
  out.name = loaded.name;
  out.input_shape = loaded.input_shape;
  std::map<std::string, bool> normed;  // tensors that a batch norm makes
  const bool polynomial = is_polynomial(loaded);
  bool any = false;
  std::map<std::string, std::string> restored;  // activations by the scale that stands for them
  for (auto layer : loaded.layers) {
    for (auto& input : layer.inputs)
      if (const auto by = restored.find(input); by != restored.end()) input = by->second;
    if (is<ScaleShiftSpec>(layer) && follows_affine(loaded, layer)) {
      layer.op = BatchNormSpec{};
      normed[layer.name] = true;
    } else if (const auto* max = std::get_if<model::MaxPool>(&layer.op)) {
      layer.op = model::AveragePool(max->window);
    } else if (const auto* act = std::get_if<ActivationSpec>(&layer.op)) {
      const bool quadratic = act->kind != ActivationKind::relu;
      if (quadratic && !polynomial)
        fail_user(
            "network {}: layer {} is a polynomial already, but others are Relu; --from takes a network with "
            "activations of one sort",
            loaded.name, layer.name);
      if (quadratic && kind == ActivationKind::relu)
        fail_user("network {}: layer {} is a polynomial, which cannot become --activation relu", loaded.name,
                  layer.name);
      any = true;
      layer.op = ActivationSpec{kind, act->function};
      if (!normed[layer.inputs[0]]) {
        const auto* before = find(loaded, layer.inputs[0]);
        LayerSpec norm{layer.name + "_norm", BatchNormSpec{}, layer.inputs,
                       before ? before->shape : loaded.input_shape};
        layer.inputs = {norm.name};
        out.layers.push_back(std::move(norm));
      }
    }
    const auto name = layer.name;
    const auto shape = layer.shape;
    out.layers.push_back(std::move(layer));
    if (wide.contains(name)) {
      restored[name] = name + "_scale";
      out.layers.push_back({name + "_scale", ScaleShiftSpec{true}, {name}, shape});
    }
  }
  if (!any)
    fail_user(
        "network {}: has no Relu, so there is nothing to replace; --from takes networks with activations",
        loaded.name);
  return out;
}

std::optional<std::map<std::string, std::string>> matching_layers(const NetworkSpec& to,
                                                                  const NetworkSpec& from) {
  if (to.input_shape != from.input_shape) return std::nullopt;
  std::map<std::string, std::string> out;
  std::size_t at = 0;
  const auto skip_dropout = [&] {
    while (at < from.layers.size() && is<DropoutSpec>(from.layers[at])) ++at;
  };
  for (const auto& layer : to.layers) {
    skip_dropout();
    if (is<DropoutSpec>(layer)) continue;
    const auto* other = at < from.layers.size() ? &from.layers[at] : nullptr;
    const bool same = other && layer.shape == other->shape && std::visit(Same{}, layer.op, other->op);
    if (restores(layer) != (other && restores(*other))) {
      if (!restores(layer)) return std::nullopt;
      continue;
    }
    if (!same && is<BatchNormSpec>(layer)) continue;
    if (!same) return std::nullopt;
    out[layer.name] = other->name;
    ++at;
  }
  skip_dropout();
  if (at != from.layers.size()) return std::nullopt;
  return out;
}

void copy_weights(NetworkImpl& to, Network& from, const torch::Tensor& images) {
  const auto match = matching_layers(to.spec(), from->spec());
  if (!match)
    fail_user(
        "network {}: other layers than the ReLU network {} that it should start from; train with the "
        "same --net and --width, or with --warm-start=false",
        to.spec().name, from->spec().name);
  const bool was_training = from->is_training();
  from->eval();
  const auto statistics = statistics_of(from, images);
  from->train(was_training);
  torch::NoGradGuard no_grad;
  for (const auto& layer : to.spec().layers) {
    const auto found = match->find(layer.name);
    const auto source = found == match->end() ? std::string() : found->second;
    const auto copy = [&](const char* which) {
      auto mine = to.tensor(layer.name, which);
      if (!mine.defined()) return;
      const auto theirs = from->tensor(source, which);
      if (theirs.defined())
        mine.copy_(theirs);
      else
        mine.zero_();  // a bias that the source does without
    };
    if (is<ConvolutionSpec>(layer) || is<DenseSpec>(layer)) {
      copy("weight");
      copy("bias");
    } else if (is<ScaleShiftSpec>(layer)) {
      if (found == match->end()) continue;  // a restoring scale: set with its norm
      copy("scale");
      copy("shift");
    } else if (is<ActivationSpec>(layer)) {
      if (from->tensor(source, "a").defined()) copy_coefficients(to, layer, *from, source);
    } else if (is<BatchNormSpec>(layer)) {
      if (!source.empty() && is<BatchNormSpec>(*find(from->spec(), source))) {
        for (const char* which : {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"})
          copy(which);
        continue;
      }
      // scale * x + shift = weight * (x - mean) / sqrt(variance) + bias
      const auto& seen = statistics.at(match->at(layer.inputs[0]));
      const auto deviation = torch::sqrt(seen.variance + kNormEpsilon);
      const auto scale =
          source.empty() ? torch::ones_like(deviation) : by_channel(from->tensor(source, "scale"), source);
      const auto shift =
          source.empty() ? torch::zeros_like(deviation) : by_channel(from->tensor(source, "shift"), source);
      const auto weight = scale * deviation, bias = shift + scale * seen.mean;
      auto size = torch::ones_like(deviation);
      if (const auto* restoring = restoring_scale(to.spec(), layer)) {
        size = torch::sqrt(weight.square() + bias.square());  // root mean square of what the activation sees
        auto target = to.tensor(restoring->name, "scale");
        std::vector<std::int64_t> by_first(static_cast<std::size_t>(target.dim()), 1);
        by_first[0] = -1;
        target.copy_(size.reshape(by_first).expand(target.sizes()));
        to.tensor(restoring->name, "shift").zero_();
      }
      to.tensor(layer.name, "weight").copy_(weight / size);
      to.tensor(layer.name, "bias").copy_(bias / size);
      to.tensor(layer.name, "running_mean").copy_(seen.mean);
      to.tensor(layer.name, "running_var").copy_(seen.variance);
    }
  }
}

bool is_polynomial(const NetworkSpec& spec) {
  bool any = false;
  for (const auto& layer : spec.layers)
    if (const auto* act = std::get_if<ActivationSpec>(&layer.op)) {
      if (act->kind == ActivationKind::relu) return false;
      any = true;
    }
  return any;
}

bool has_max_pool(const NetworkSpec& spec) {
  return std::any_of(spec.layers.begin(), spec.layers.end(),
                     [](const LayerSpec& layer) { return is<model::MaxPool>(layer); });
}

}  // namespace velum::train
