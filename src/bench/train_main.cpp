// How fast the trainer is beside a loop that uses libtorch and nothing else, on the same network and batches:
//   velum_train_bench [--threads T] [--repeat R] [--json FILE] [NETWORK...]
// The trainer augments, clips gradients, holds coefficients to their limits and records; the plain loop takes
// batches, goes forward and backward and steps (AdamW, as the trainer). Both take turns; the ratio is that of
// the medians.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "train/allocation.h"
#include "train/network.h"
#include "train/training_run.h"

namespace {

using namespace velum::train;
namespace F = torch::nn::functional;

struct Case {
  std::string network;
  velum::model::Shape image;
  std::int64_t classes, images;
  int batch;
};
const Case kCases[] = {{"cryptonets", {1, 28, 28}, 10, 8192, 128}, {"lenet5", {1, 28, 28}, 10, 8192, 128},
                       {"scnn", {3, 32, 32}, 10, 4096, 128},       {"vgg", {3, 32, 32}, 10, 1024, 128},
                       {"resnet20", {3, 32, 32}, 10, 1024, 128},   {"alexnet", {1, 112, 112}, 3, 384, 32},
                       {"squeezenet", {1, 112, 112}, 3, 384, 32}};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

double plain_epoch(const NetworkSpec& spec, const Samples& train, int batch) {
  Network network(spec);
  torch::optim::AdamW optimiser(network->parameters(), 1e-3);
  network->train();
  const auto start = std::chrono::steady_clock::now();
  const auto order = torch::randperm(train.count());
  for (std::int64_t step = 0; step < train.count() / batch; ++step) {
    const auto some = order.slice(0, step * batch, (step + 1) * batch);
    optimiser.zero_grad();
    const auto loss = F::cross_entropy(network->forward(train.images.index_select(0, some)),
                                       train.labels.index_select(0, some));
    loss.backward();
    optimiser.step();
  }
  return seconds_since(start);
}

double trainer_epoch(const NetworkSpec& spec, const TrainingData& data, int batch, ActivationKind kind,
                     const std::string& products) {
  TrainOptions o;
  o.products = products;
  o.activation = kind;
  o.epochs = 1;
  o.batch = batch;
  o.augmentation.shift = 2;
  o.augmentation.flip = true;
  return run_training({.data = data, .options = o, .spec = spec}, {}).seconds;
}

nlohmann::json measure(const Case& c, ActivationKind kind, int repeat, const std::string& products) {
  TrainingData data;
  data.train = {torch::rand({c.images, c.image[0], c.image[1], c.image[2]}),
                torch::randint(c.classes, {c.images}, torch::kInt64)};
  data.image_shape = c.image;
  data.name = "random";
  for (std::int64_t k = 0; k < c.classes; ++k) data.classes.push_back(std::to_string(k));
  const auto spec = build_network(
      {.name = c.network, .input_shape = c.image, .classes = c.classes, .activation = kind, .widths = {}});
  std::vector<double> plain, own;
  for (int i = -1; i < repeat; ++i) {  // the first of each only warms up
    const double a = plain_epoch(spec, data.train, c.batch),
                 b = trainer_epoch(spec, data, c.batch, kind, products);
    if (i < 0) continue;
    plain.push_back(a);
    own.push_back(b);
  }
  const auto images = static_cast<double>(c.images / c.batch * c.batch);
  const double of_plain = images / median(plain), of_own = images / median(own);
  const std::string activation = kind == ActivationKind::relu ? "relu" : "element";
  std::cout << fmt::format("{:10} {:7}  libtorch alone {:7.0f} images/s, velum train {:7.0f}, {:3.0f} %\n",
                           c.network, activation, of_plain, of_own, 100 * of_own / of_plain)
            << std::flush;
  return {{"network", c.network},
          {"activation", activation},
          {"image", c.image},
          {"batch", c.batch},
          {"plain_images_per_second", of_plain},
          {"velum_images_per_second", of_own},
          {"ratio", of_own / of_plain},
          {"plain_seconds", plain},
          {"velum_seconds", own}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The trainer's speed beside that of libtorch alone"};
  int threads = 0, repeat = 5;
  std::string json;
  std::vector<std::string> names;
  std::string products = "float32";
  app.add_option("--products", products, "Of the trainer's layers: float32 or bfloat16");
  app.add_option("networks", names, "cryptonets, lenet5, scnn, vgg, resnet20, alexnet, squeezenet (all)");
  app.add_option("--threads", threads, "0: all cores");
  app.add_option("--repeat", repeat, "Repetitions of each")->check(CLI::Range(1, 100));
  app.add_option("--json", json, "Write the results to this file");
  CLI11_PARSE(app, argc, argv);
  velum::use_threads(threads);
  at::set_num_threads(velum::threads());
  keep_freed_memory();  // for both
  torch::manual_seed(1);
  auto results = nlohmann::json::array();
  for (const auto& c : kCases) {
    if (!names.empty() && std::find(names.begin(), names.end(), c.network) == names.end()) continue;
    for (const auto kind : {ActivationKind::relu, ActivationKind::element})
      results.push_back(measure(c, kind, repeat, products));
  }
  if (!json.empty())
    std::ofstream(json)
        << nlohmann::json{{"threads", velum::threads()}, {"products", products}, {"networks", results}}.dump(
               2)
        << "\n";
  return 0;
}
