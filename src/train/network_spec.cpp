#include "train/network_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"

namespace velum::train {

namespace {

struct Padding {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
};
Padding same(std::int64_t pad) {
  return {pad, pad, pad, pad};
}

// Appends layers in a chain and keeps the shape.
class Chain {
 public:
  explicit Chain(const NetworkRequest& request) : request_(request), shape_(request.input_shape) {
    spec_.name = request.name;
    spec_.input_shape = request.input_shape;
  }

  // Convolution, batch norm, activation.
  void convolution(std::int64_t outputs, std::int64_t kernel, std::int64_t stride, Padding pad) {
    const auto extent = [&](std::int64_t size, std::int64_t before, std::int64_t after) {
      return (size + before + after - kernel) / stride + 1;
    };
    const auto h = extent(shape_[1], pad.top, pad.bottom), w = extent(shape_[2], pad.left, pad.right);
    if (shape_[1] + pad.top + pad.bottom < kernel || shape_[2] + pad.left + pad.right < kernel)
      fail_user(
          "network {}: an image of {} is too small for its {}x{} convolution at layer {}; use larger images",
          request_.name, model::to_string(request_.input_shape), kernel, kernel, convolutions_ + 1);
    const auto name = fmt::format("conv{}", ++convolutions_);
    append(name,
           ConvolutionSpec{.outputs = widened(outputs),
                           .kernel_h = kernel,
                           .kernel_w = kernel,
                           .stride_h = stride,
                           .stride_w = stride,
                           .pad_top = pad.top,
                           .pad_left = pad.left,
                           .pad_bottom = pad.bottom,
                           .pad_right = pad.right},
           {widened(outputs), h, w});
    normalise_and_activate(name);
  }
  void average_pool(std::int64_t kernel) {
    append(fmt::format("pool{}", ++pools_),
           model::AveragePool{.kernel_h = kernel, .kernel_w = kernel, .stride_h = kernel, .stride_w = kernel},
           {shape_[0], shape_[1] / kernel, shape_[2] / kernel});
  }
  void max_pool(std::int64_t kernel) {
    append(fmt::format("pool{}", ++pools_),
           model::MaxPool{{.kernel_h = kernel, .kernel_w = kernel, .stride_h = kernel, .stride_w = kernel}},
           {shape_[0], shape_[1] / kernel, shape_[2] / kernel});
  }
  void flatten() { append("flatten", model::Reshape{}, {model::element_count(shape_)}); }
  void dense(std::int64_t outputs) {
    const auto name = fmt::format("dense{}", ++dense_);
    append(name, DenseSpec{.outputs = widened(outputs)}, {widened(outputs)});
    normalise_and_activate(name);
  }
  NetworkSpec classify() && {
    if (request_.dropout > 0) append("dropout", DropoutSpec{request_.dropout}, shape_);
    append("logits", DenseSpec{.outputs = request_.classes, .bias = true}, {request_.classes});
    return std::move(spec_);
  }

 private:
  std::int64_t widened(std::int64_t channels) const {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * request_.width));
  }
  void append(std::string name, LayerOperation op, model::Shape shape) {
    shape_ = shape;
    spec_.layers.push_back({name, std::move(op), {last_}, std::move(shape)});
    last_ = std::move(name);
  }
  void normalise_and_activate(const std::string& name) {
    append(name + "_norm", BatchNormSpec{}, shape_);
    append(name + "_act", ActivationSpec{request_.activation}, shape_);
  }

  const NetworkRequest& request_;
  NetworkSpec spec_;
  model::Shape shape_;
  std::string last_ = "input";
  int convolutions_ = 0, pools_ = 0, dense_ = 0;
};

// Dowlin et al. 2016 as Velum runs it: 28x28 becomes 5 maps of 13x13 (845 elements), then 100 units.
NetworkSpec cryptonets(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(5, 5, 2, {1, 1, 0, 0});
  net.flatten();
  net.dense(100);
  return std::move(net).classify();
}

// LeNet-5 with average pooling: four activations.
NetworkSpec lenet5(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(6, 5, 1, same(2));
  net.average_pool(2);
  net.convolution(16, 5, 1, {});
  net.average_pool(2);
  net.flatten();
  net.dense(120);
  net.dense(84);
  return std::move(net).classify();
}

// For 32x32 colour images: strides from the first layer on keep the number of ciphertexts a layer small; five
// activations.
NetworkSpec scnn(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(24, 4, 2, same(1));
  net.convolution(48, 4, 2, same(1));
  net.convolution(64, 3, 1, same(1));
  net.convolution(96, 4, 2, same(1));
  net.flatten();
  net.dense(128);
  return std::move(net).classify();
}

// A wide ReLU network with max pooling, as a teacher.
NetworkSpec vgg_small(const NetworkRequest& r) {
  Chain net(r);
  for (const std::int64_t channels : {32, 64, 128}) {
    net.convolution(channels, 3, 1, same(1));
    net.convolution(channels, 3, 1, same(1));
    if (r.activation == ActivationKind::relu)
      net.max_pool(2);
    else
      net.average_pool(2);
  }
  net.flatten();
  net.dense(256);
  return std::move(net).classify();
}

struct Builder {
  std::string name, description;
  NetworkSpec (*build)(const NetworkRequest&);
};
const std::vector<Builder>& builders() {
  static const std::vector<Builder> all = {
      {"cryptonets", "conv 5x5/2 to 5 maps, dense 100: 2 activations (28x28 grey)", cryptonets},
      {"lenet5", "two 5x5 convolutions with average pooling, dense 120 and 84: 4 activations (28x28)",
       lenet5},
      {"scnn", "four strided convolutions, dense 128: 5 activations (32x32 colour)", scnn},
      {"vgg-small",
       "three pairs of 3x3 convolutions, dense 256: 7 activations; a teacher with --activation relu",
       vgg_small},
  };
  return all;
}

}  // namespace

NetworkSpec build_network(const NetworkRequest& request) {
  if (request.input_shape.size() != 3 || request.classes < 2)
    fail_user(
        "network {}: needs images of channels x height x width and at least 2 classes; got {} and {} classes",
        request.name, model::to_string(request.input_shape), request.classes);
  for (const auto& builder : builders())
    if (builder.name == request.name) return builder.build(request);
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
