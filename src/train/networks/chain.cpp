#include "train/networks/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace velum::train {

namespace {

[[noreturn]] void too_small(const NetworkRequest& request, const std::string& layer, std::int64_t kernel) {
  fail_user("network {}: an image of {} is too small for its {}x{} window at layer {}; use larger images",
            request.name, model::to_string(request.input_shape), kernel, kernel, layer);
}

}  // namespace

Chain::Chain(const NetworkRequest& request) : request_(request), shape_(request.input_shape) {
  spec_.name = request.name;
  spec_.input_shape = request.input_shape;
}

std::int64_t Chain::widened(std::int64_t channels) const {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * request_.width));
}

void Chain::append(std::string name, LayerOperation op, model::Shape shape) {
  shape_ = shape;
  spec_.layers.push_back({name, std::move(op), {last_}, std::move(shape)});
  last_ = std::move(name);
}

void Chain::convolution(std::int64_t outputs, std::int64_t kernel, std::int64_t stride, Padding pad,
                        bool activated) {
  const auto name = fmt::format("conv{}", ++convolutions_);
  const auto high = shape_[1] + pad.top + pad.bottom, wide = shape_[2] + pad.left + pad.right;
  if (high < kernel || wide < kernel) too_small(request_, name, kernel);
  const auto h = (high - kernel) / stride + 1, w = (wide - kernel) / stride + 1;
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
  normalise();
  if (activated) activate();
}

void Chain::normalise() {
  append(last_ + "_norm", BatchNormSpec{}, shape_);
}

void Chain::activate() {
  const auto suffix = last_.rfind("_norm");
  append((suffix == std::string::npos ? last_ : last_.substr(0, suffix)) + "_act",
         ActivationSpec{request_.activation}, shape_);
}

void Chain::pool(std::int64_t kernel, std::int64_t stride) {
  const auto name = fmt::format("pool{}", ++pools_);
  if (shape_[1] < kernel || shape_[2] < kernel) too_small(request_, name, kernel);
  const model::AveragePool window{
      .kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride};
  const model::Shape shape{shape_[0], (shape_[1] - kernel) / stride + 1, (shape_[2] - kernel) / stride + 1};
  if (request_.max_pool)
    append(name, model::MaxPool{window}, shape);
  else
    append(name, window, shape);
}

void Chain::flatten() {
  append("flatten", model::Reshape{}, {model::element_count(shape_)});
}

void Chain::dense(std::int64_t outputs) {
  const auto name = fmt::format("dense{}", ++dense_);
  append(name, DenseSpec{.outputs = widened(outputs)}, {widened(outputs)});
  normalise();
  activate();
}

void Chain::go_to(const Place& place) {
  last_ = place.tensor;
  shape_ = place.shape;
}

void Chain::add(const Place& other) {
  auto name = fmt::format("add{}", ++joins_);
  spec_.layers.push_back({name, model::Combine{{1, 1}}, {last_, other.tensor}, shape_});
  last_ = std::move(name);
}

void Chain::concatenate(const std::vector<Place>& branches) {
  auto name = fmt::format("concat{}", ++joins_);
  LayerSpec layer{name, model::Concat{}, {}, branches.front().shape};
  layer.shape[0] = 0;
  for (const auto& branch : branches) {
    layer.inputs.push_back(branch.tensor);
    layer.shape[0] += branch.shape[0];
  }
  shape_ = layer.shape;
  spec_.layers.push_back(std::move(layer));
  last_ = std::move(name);
}

void Chain::drop_out() {
  if (request_.dropout > 0) append("dropout", DropoutSpec{request_.dropout}, shape_);
}

void Chain::mean_over_positions() {
  append("mean", model::GlobalAveragePool{}, {shape_[0], 1, 1});
  flatten();
}

NetworkSpec Chain::classify() && {
  drop_out();
  append("logits", DenseSpec{.outputs = request_.classes, .bias = true}, {request_.classes});
  return std::move(spec_);
}

NetworkSpec Chain::classify_by_mean() && {
  mean_over_positions();
  return std::move(*this).classify();
}

NetworkSpec Chain::classify_by_positions() && {
  drop_out();
  append("logits", ConvolutionSpec{.outputs = request_.classes, .bias = true},
         {request_.classes, shape_[1], shape_[2]});
  mean_over_positions();
  return std::move(spec_);
}

}  // namespace velum::train
