#include "cli/data_options.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "model/class_names.h"

namespace velum::cli {

namespace {

const std::map<std::string, data::Split> kSplits = {
    {"train", data::Split::train}, {"validation", data::Split::validation}, {"test", data::Split::test}};

// Labels by the network's class names in place of the folders' order.
void align_classes(data::Dataset& set, const std::string& spec, const std::vector<std::string>& names) {
  if (names.empty() || set.classes == names) return;
  std::vector<std::int32_t> label_of;
  for (const auto& name : set.classes)
    label_of.push_back(
        static_cast<std::int32_t>(std::find(names.begin(), names.end(), name) - names.begin()));
  for (auto& label : set.labels) {
    const auto& name = set.classes[static_cast<std::size_t>(label)];
    label = label_of[static_cast<std::size_t>(label)];
    if (static_cast<std::size_t>(label) == names.size())
      fail_user(
          "{}: class {} is none of the network's ({}); rename or remove its folder, or choose another "
          "network",
          spec, name, fmt::join(names, ", "));
  }
  set.classes = names;
}

}  // namespace

void add_data_options(CLI::App& app, DataOptions& options, bool required) {
  auto* data =
      app.add_option(
             "--data", options.data,
             "Images: digits, mnist:DIR, cifar10:DIR, medmnist:FILE.npz, folder:DIR, npy:FILE[,LABELS]")
          ->type_name("DATASET");
  if (required) data->required();
  app.add_option("--split", options.split, "Part of the data set: train, validation or test")
      ->check(CLI::IsMember({"train", "validation", "test"}))
      ->capture_default_str();
  app.add_option("--images,--limit", options.limit, "Take only the first images; 0: all")
      ->capture_default_str();
  app.add_option("--data-seed", options.seed, "Seed of the built-in digits")->capture_default_str();
  app.add_flag("--skip-bad", options.skip_bad,
               "Class folders: leave unreadable images out instead of stopping");
}

data::Dataset load_data(const DataOptions& options, const model::Shape& input_shape) {
  data::LoadOptions load;
  load.split = kSplits.at(options.split);
  load.limit = options.limit;
  load.seed = options.seed;
  load.skip_bad = options.skip_bad;
  return load_data(options.data, load, input_shape);
}

data::Dataset load_data(const DataOptions& options, const model::Graph& graph) {
  auto set = load_data(options, graph.input_shape);
  if (options.data.starts_with("folder:")) align_classes(set, options.data, model::class_names(graph));
  return set;
}

data::Dataset load_data(const std::string& spec, const data::LoadOptions& options,
                        const model::Shape& input_shape) {
  auto load = options;
  if (input_shape.size() == 3) {
    load.channels = input_shape[0];
    load.height = input_shape[1];
    load.width = input_shape[2];
  }
  auto set = data::load(spec, load);
  if (set.count() == 0) fail_user("{}: no images", spec);
  const auto wanted = model::element_count(input_shape);
  if (static_cast<std::int64_t>(set.elements()) != wanted)
    fail_user("{}: images of {}x{}x{} have {} elements, the network takes {} ({})", spec, set.channels,
              set.height, set.width, set.elements(), wanted, model::to_string(input_shape));
  return set;
}

void check_pixels(const data::Dataset& set, double low, double high) {
  // Room for rounding in float of a range that is met exactly.
  const double slack = 1e-6 * (high - low);
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const double x = set.images[i];
    if (!(x >= low - slack && x <= high + slack))
      fail_user(
          "{}: image {}, element {} is {}, the network takes values from {} to {}; correct the image or its "
          "scaling",
          set.name, i / set.elements(), i % set.elements(),
          std::isnan(x) ? "not a number" : fmt::format("{:g}", x), low, high);
  }
}

}  // namespace velum::cli
