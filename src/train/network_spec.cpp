#include "train/network_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "train/networks/builders.h"

namespace velum::train {

namespace {

struct Builder {
  std::string name, description;
  NetworkSpec (*build)(const NetworkRequest&);
  bool has_widths = false, has_pools = false;
};

const std::vector<Builder>& builders() {
  static const std::vector<Builder> all = {
      {"cryptonets", "conv 5x5/2 to 5 maps, dense 100: 2 activations (28x28 grey)", build_cryptonets},
      {"shallow", "conv 5x5/2 to 5 maps: 1 activation", build_shallow},
      {"perceptron", "dense 128: 1 activation", build_perceptron},
      {"lenet5", "two 5x5 convolutions with pooling, dense 120 and 84: 4 activations (28x28)", build_lenet5,
       false, true},
      {"scnn", "four strided convolutions, dense 128: 5 activations (32x32 colour)", build_scnn},
      {"vgg", "two 3x3 convolutions and a pool for each of --widths (32,64,128), dense 256: 7 activations",
       build_vgg, true, true},
      {"resnet20", "residual blocks of --widths (16,32,64): 19 activations (32x32 colour)", build_resnet20,
       true},
      {"resnet32", "the same with 5 blocks a stage: 31 activations", build_resnet32, true},
      {"resnet44", "the same with 7 blocks a stage: 43 activations", build_resnet44, true},
      {"alexnet", "five convolutions, dense 4096 twice: 7 activations (112x112 or 224x224)", build_alexnet,
       false, true},
      {"squeezenet", "version 1.1, eight fire modules: 17 activations deep (112x112 or 224x224)",
       build_squeezenet, false, true},
  };
  return all;
}

}  // namespace

NetworkSpec with_pixels(NetworkSpec spec, const model::ScaleShift& layer) {
  const std::string name = "pixels";
  for (auto& l : spec.layers)
    for (auto& input : l.inputs)
      if (input == "input") input = name;
  spec.layers.insert(spec.layers.begin(), {name, ScaleShiftSpec{false, layer}, {"input"}, spec.input_shape});
  return spec;
}

NetworkSpec build_network(const NetworkRequest& request) {
  if (request.input_shape.size() != 3 || request.classes < 2)
    fail_user(
        "network {}: needs images of channels x height x width and at least 2 classes; got {} and {} classes",
        request.name, model::to_string(request.input_shape), request.classes);
  for (const auto& builder : builders()) {
    if (builder.name != request.name) continue;
    if (!request.widths.empty() && !builder.has_widths)
      fail_user("network {}: has no --widths to choose; use --width, a factor on all of them", request.name);
    if (request.max_pool && !builder.has_pools)
      fail_user("network {}: has no pools that --max-pool could change", request.name);
    return builder.build(request);
  }
  fail_user("network \"{}\": unknown; choose one of {}", request.name, fmt::join(network_names(), ", "));
}

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& builder : builders()) out.push_back(builder.name);
    return out;
  }();
  return names;
}

std::string describe_networks() {
  std::string text;
  for (const auto& builder : builders())
    text += fmt::format("  {:<12}{}\n", builder.name, builder.description);
  return text;
}

}  // namespace velum::train
