#include "train/trainer.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>

#include "base/error.h"
#include "model/class_names.h"
#include "model/onnx.h"
#include "train/device.h"
#include "train/exchange.h"
#include "train/training_run.h"
#include "train/warm_start.h"

namespace velum::train {

namespace {

// An ONNX network that takes these images and tells these classes apart.
Network load_network(const char* option, const std::string& path, const TrainingData& data,
                     const TrainOptions& o, model::Pixels* pixels = nullptr) {
  auto load = load_options_of(o);
  load.pixels.unless_recorded = !pixels;
  if (!pixels) load.output.clear();  // a name of the other file
  const auto graph = model::load_onnx(path, load);
  if (pixels) *pixels = graph.pixels;
  if (graph.input_shape != data.image_shape)
    fail_user("{} {}: takes images of {}, but the data has {}; use another network{}", option, path,
              model::to_string(graph.input_shape), model::to_string(data.image_shape),
              graph.input_shape.size() == 3 && graph.input_shape[1] == graph.input_shape[2]
                  ? fmt::format(", or class folders with --image-size {}", graph.input_shape[1])
                  : "");
  const auto outputs = model::element_count(graph.shape_of(graph.output));
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  if (outputs != classes)
    fail_user("{} {}: has {} outputs, but the data has {} classes; use a network or data of the same classes",
              option, path, outputs, classes);
  if (const auto names = model::class_names(graph); !names.empty() && names != data.classes)
    fail_user(
        "{} {}: its outputs are {}, but the classes of the data are {}; use a network or data of the same "
        "classes",
        option, path, fmt::join(names, ", "), fmt::join(data.classes, ", "));
  return from_graph(graph);
}

void require_relus(const NetworkSpec& spec) {
  for (const auto& layer : spec.layers)
    if (const auto* act = std::get_if<ActivationSpec>(&layer.op); act && act->function)
      fail_user(
          "network {}: layer {} is {}, which --activation relu does not keep; choose another activation",
          spec.name, layer.name, act->function->name());
}

// Evenly over the set, which may be sorted by class.
torch::Tensor some_images(const Samples& samples) {
  constexpr std::int64_t most = 1024;
  return samples.images.slice(0, 0, samples.count(), std::max<std::int64_t>(1, samples.count() / most));
}

TrainOptions options_of_relu_network(const TrainOptions& options) {
  auto o = options;
  o.activation = ActivationKind::relu;
  o.epochs = options.teacher_epochs;
  o.transition = o.ranges_first = o.quantise_last = o.coefficients_first = o.feature_weight = 0;
  o.early_stop = 0;
  o.checkpoint = teacher_checkpoint(options);
  return o;
}

class Recipe {
 public:
  Recipe(const TrainingData& data, const TrainOptions& options) : data_(data), o_(options) {
    if (!o_.from.empty()) {
      from_ = load_network("--from", o_.from, data_, o_, &pixels_);
      if (o_.activation == ActivationKind::relu) require_relus(from_->spec());
      wide_ = wide_activations(from_, some_images(data_.train));
    }
    if (!o_.teacher.empty()) teacher_ = load_network("--teacher", o_.teacher, data_, o_);
    if (o_.from.empty()) pixels_ = load_options_of(o_).pixels.pixels();
  }

  TrainResult operator()(const EpochCallback& on_epoch) {
    TrainResult relu;
    const auto start = find_start(relu, on_epoch);
    auto teacher = teacher_;
    if (teacher.is_empty() && begins_with_a_network()) teacher = from_.is_empty() ? relu.network : from_;
    if (!start.is_empty() && is_polynomial(start->spec()) && (o_.transition > 0 || o_.ranges_first > 0))
      fail_user(
          "network {}: is polynomial already, so that no Relu is left to replace gradually; train it further "
          "with --transition 0 --ranges-first 0",
          start->spec().name);
    if (o_.feature_weight > 0 && teacher.is_empty())
      fail_user(
          "--feature-weight {}: there is no teacher to match; name one with --teacher, or use "
          "--feature-weight 0",
          o_.feature_weight);
    torch::manual_seed(o_.seed);
    auto result = run_training({data_, o_, spec(o_.activation), start, teacher}, on_epoch);
    result.teacher = teacher;
    result.pixels = pixels_;
    result.teacher_history = relu.history;
    result.seconds += relu.seconds;
    return result;
  }

 private:
  NetworkSpec spec(ActivationKind kind) const {
    if (!from_.is_empty()) return trainable_spec(from_->spec(), kind, wide_);
    auto built =
        build_network({o_.network, data_.image_shape, static_cast<std::int64_t>(data_.classes.size()), kind,
                       o_.width, o_.dropout, o_.widths, o_.max_pool});
    if (pixels_.origin == model::Pixels::Origin::assumed) return built;
    return with_pixels(std::move(built), model::pixels_layer(pixels_, data_.image_shape));
  }

  // Recipes that do let it teach too.
  bool begins_with_a_network() const {
    return o_.activation != ActivationKind::relu && (o_.warm_start || o_.teacher_epochs > 0);
  }

  // --warm-start=false; `direct`, which has no warm start of its own, takes the network of --from as it is.
  bool leaves_weights() const { return !o_.warm_start && o_.recipe != "direct"; }

  // The ReLU network whose weights are where the polynomial one begins; trained now where the options ask for
  // it and none is at hand, or where it has max pooling.
  Network find_start(TrainResult& relu, const EpochCallback& on_epoch) {
    // Further training of a loaded network, or nothing; recipes that begin with weights can be told to leave
    // them.
    const auto without_training = leaves_weights() ? Network{nullptr} : from_;
    if (!begins_with_a_network()) return without_training;
    Network given = from_;
    if (given.is_empty() && !teacher_.is_empty() &&
        matching_layers(spec(ActivationKind::relu), teacher_->spec()))
      given = teacher_;
    const bool pooled = !given.is_empty() && has_max_pool(given->spec());
    const bool train_one = o_.teacher_epochs > 0 && (pooled || (given.is_empty() && o_.warm_start) ||
                                                     (given.is_empty() && teacher_.is_empty()));
    if (pooled && !train_one && o_.transition > 0)
      fail_user(
          "network {}: has max pooling, which a gradual replacement cannot start from; let an average-pooled "
          "ReLU network be trained first (--teacher-epochs 20), or replace at once (--transition 0)",
          given->spec().name);
    if (train_one) {
      const auto options = options_of_relu_network(o_);
      torch::manual_seed(o_.seed);
      relu =
          run_training({data_, options, spec(ActivationKind::relu), given, Network{nullptr}, true}, on_epoch);
      given = relu.network;
    }
    if (o_.warm_start && given.is_empty())
      fail_user(
          "--warm-start: there is no ReLU network to start from{}; name one with --from, let one be trained "
          "with --teacher-epochs, or leave the weights to chance with --warm-start=false",
          teacher_.is_empty() ? "" : ": the --teacher has other layers than --net");
    return o_.warm_start ? given : without_training;
  }

  const TrainingData& data_;
  const TrainOptions& o_;
  Network from_{nullptr}, teacher_{nullptr};  // as given
  std::set<std::string> wide_;                // activations of from_
  model::Pixels pixels_;
};

}  // namespace

std::string teacher_checkpoint(const TrainOptions& options) {
  return options.checkpoint.empty() ? "" : options.checkpoint + ".relu";
}

torch::Tensor predict(Network& network, const torch::Tensor& images, std::int64_t batch) {
  torch::NoGradGuard no_grad;
  const bool was_training = network->is_training();
  network->eval();
  const auto device = device_of(*network);
  std::vector<torch::Tensor> parts;
  for (std::int64_t begin = 0; begin < images.size(0); begin += batch)
    parts.push_back(
        network->forward(images.slice(0, begin, std::min(begin + batch, images.size(0))).to(device)).cpu());
  network->train(was_training);
  return torch::cat(parts);
}

Metrics evaluate(Network& network, const Samples& samples, std::int64_t classes) {
  const auto logits = predict(network, samples.images).contiguous();
  const auto n = static_cast<std::size_t>(samples.count());
  return measure({logits.data_ptr<float>(), static_cast<std::size_t>(logits.numel())},
                 {samples.labels.data_ptr<std::int64_t>(), n}, classes);
}

TrainResult train(const TrainingData& data, const TrainOptions& options, const EpochCallback& on_epoch) {
  validate(options);
  const int all = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(options.threads > 0 ? options.threads : all);
  at::globalContext().setFlushDenormal(true);
  at::globalContext().setDeterministicCuDNN(
      true);  // on a GPU: of its algorithms those that repeat themselves
  return Recipe(data, options)(on_epoch);
}

}  // namespace velum::train
