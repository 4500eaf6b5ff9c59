#include "cli/data_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "data/classes.h"

namespace velum::cli {

namespace {

const std::map<std::string, data::Split> kSplits = {
    {"train", data::Split::train}, {"validation", data::Split::validation}, {"test", data::Split::test}};

// The labels of named classes as numbers of outputs.
void number_classes(data::Dataset& set, const std::string& spec, const Taken& taken, Labels labels) {
  const auto& names = taken.form.classes;
  if (labels == Labels::unused || set.labels.empty() || taken.form.outputs == OutputKind::map) return;
  const auto outputs = std::max<std::size_t>(taken.outputs, 2);
  if (!set.named_classes) {
    if (!names.empty()) set.classes = names;
    return;
  }
  if (!names.empty()) return data::match_classes(set, names, spec);
  if (set.classes.size() != outputs) {
    // Labels of which nobody knows the outputs would be wrong behind the first that is missing.
    const auto found = fmt::format("{}: {} classes ({}), the network tells {} apart", spec,
                                   set.classes.size(), data::some_of(set.classes), outputs);
    if (labels == Labels::scored)
      fail_user(
          "{}, so that nobody knows which outputs these are; name all of the network's classes with "
          "--classes FILE, "
          "a name a line in the order of the outputs; images without classes lie in one folder",
          found);
    set.notes.push_back(
        fmt::format("{}: nothing is scored; which outputs these are is told with --classes FILE, a name a "
                    "line in the order "
                    "of the outputs",
                    found));
    set.labels.clear();
    return;
  }
  if (data::numbers_out_of_order(set.classes))
    set.notes.push_back(
        fmt::format("the classes are taken in text order, as torchvision does ({}), which is not the order "
                    "of their numbers; "
                    "--classes FILE gives another",
                    data::some_of(set.classes)));
}

}  // namespace

void add_data_options(CLI::App& app, DataOptions& options, bool required) {
  auto* data = app.add_option("--data", options.data,
                              "Images: digits, mnist:DIR, cifar10:DIR, medmnist:FILE.npz, folder:DIR, "
                              "list:FILE.csv, npy:FILE[,LABELS]" +
                                  std::string(required ? "" : "; default: none, no true classes"))
                   ->type_name("DATASET");
  if (required) data->required();
  app.add_option("--split", options.split, "Part of the data set: train, validation or test")
      ->check(CLI::IsMember({"train", "validation", "test"}))
      ->capture_default_str();
  app.add_option("--images,--limit", options.limit, "Take only the first images; 0: all")
      ->check(natural_number())
      ->capture_default_str();
  app.add_option("--data-seed", options.seed, "Seed of the built-in digits")
      ->check(natural_number())
      ->capture_default_str();
  app.add_flag("--skip-bad", options.skip_bad, "Image files: leave unreadable ones out instead of stopping");
}

data::Dataset load_data(const DataOptions& options, const Taken& taken, Labels labels) {
  auto load = load_options(taken);
  load.split = kSplits.at(options.split);
  load.limit = options.limit;
  load.seed = options.seed;
  load.skip_bad = options.skip_bad;
  auto set = load_images(options.data, load, taken);
  number_classes(set, options.data, taken, labels);
  return set;
}

data::Dataset load_images(const std::string& spec, const data::LoadOptions& options, const Taken& taken) {
  auto set = data::load(spec, options);
  if (set.count() == 0) fail_user("{}: no images", spec);
  const auto wanted = element_count(taken.shape);
  if (set.elements() != wanted)
    fail_user("{}: images of {}x{}x{} have {} elements, the network takes {} ({})", spec, set.channels,
              set.height, set.width, set.elements(), wanted, shape_text(taken.shape));
  return set;
}

void check_pixels(const data::Dataset& set, const Range& range) {
  const auto [low, high] = range;
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

void check_labels(const data::Dataset& set, const Taken& taken) {
  if (taken.form.outputs == OutputKind::map) return;
  // One output tells two apart.
  const auto classes = static_cast<std::int32_t>(std::max<std::size_t>(taken.outputs, 2));
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    if (set.labels[i] < 0 || set.labels[i] >= classes)
      fail_user(
          "{}: image {} has the label {}, the network has classes 0 to {}; these are labels of something "
          "else",
          set.name, i, set.labels[i], classes - 1);
}

}  // namespace velum::cli
