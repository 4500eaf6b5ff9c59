#include "cli/image_options.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "data/classes.h"

namespace velum::cli {

namespace {

void choose(DataForm& form, const ImageOptions& options) {
  if (options.resize == "stretch") form.fitting = Fitting::stretch;
  if (options.resize == "fit") form.fitting = Fitting::fit;
  if (options.resize == "crop") form.fitting = Fitting::crop;
  if (!options.exif.empty()) form.as_they_lie = options.exif == "ignore";
}

std::size_t classes_of(const Taken& taken) {
  // One output tells two apart.
  return std::max<std::size_t>(taken.outputs, 2);
}

void name_classes(Taken& taken, std::vector<std::string> names, const std::string& origin) {
  if (names.empty() || taken.form.outputs == OutputKind::map) return;
  if (names.size() != classes_of(taken))
    fail_user(
        "{}: {} names of classes, the network tells {} apart; name them all, in the order of its outputs",
        origin, names.size(), classes_of(taken));
  taken.form.classes = std::move(names);
}

}  // namespace

void add_image_options(CLI::App& app, ImageOptions& options) {
  app.add_option("--resize", options.resize,
                 "Image files of another size: stretch (each side by itself), fit (the whole image, black "
                 "beside it) or "
                 "crop (the shorter side fits, then the centre); default: stretch, or what the plan says")
      ->check(CLI::IsMember({"fit", "crop", "stretch"}));
  app.add_option("--exif", options.exif,
                 "Photographs that say how they lie: apply (turned upright) or ignore; default: apply, or "
                 "what the plan "
                 "says")
      ->check(CLI::IsMember({"apply", "ignore"}));
  app.add_option("--classes", options.classes,
                 "Names of the classes in the order of the outputs, one a line: class folders are matched by "
                 "them; default: the "
                 "network's own")
      ->type_name("FILE");
}

std::size_t element_count(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const auto n : shape) count *= static_cast<std::size_t>(n);
  return count;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

Taken taken_by(const ModelInfo& network, const ImageOptions& options) {
  Taken taken{network.input_shape, network.form, element_count(network.output_shape)};
  choose(taken.form, options);
  if (!options.classes.empty())
    name_classes(taken, data::read_class_names(options.classes), "--classes " + options.classes);
  return taken;
}

Taken taken_by(const ClientPlan& plan, const ImageOptions& options) {
  Taken taken{plan.input_shape(), plan.form(), plan.outputs()};
  choose(taken.form, options);
  if (!options.classes.empty())
    name_classes(taken, data::read_class_names(options.classes), "--classes " + options.classes);
  return taken;
}

data::LoadOptions load_options(const Taken& taken) {
  data::LoadOptions load;
  const auto& form = taken.form;
  if (taken.shape.size() == 3) {
    load.channels = taken.shape[0];
    load.height = taken.shape[1];
    load.width = taken.shape[2];
  }
  if (form.range_stated || form.low != 0 || form.high != 1)
    load.values = data::ValueRange{form.low, form.high, form.range_stated};
  load.channels_last = form.channels_last;
  load.resize = form.fitting == Fitting::fit    ? data::Resize::fit
                : form.fitting == Fitting::crop ? data::Resize::crop
                                                : data::Resize::stretch;
  load.ignore_exif = form.as_they_lie;
  return load;
}

std::string feeds_text(const std::vector<std::int64_t>& s, const DataForm& form) {
  const auto range = fmt::format("floats from {:g} to {:g}, or bytes", form.low, form.high);
  if (s.size() != 3) return fmt::format("npy: arrays (N, {}) of {}", element_count(s), range);
  std::string text = fmt::format("npy: arrays (N, {}, {}, {}) or (N, {}, {}, {}) of {}", s[0], s[1], s[2],
                                 s[1], s[2], s[0], range);
  if (s[0] == 1 || s[0] == 3) text += "; folder: and list: of images in any size";
  if (s == std::vector<std::int64_t>{1, 28, 28}) text += "; mnist:, digits";
  if (s == std::vector<std::int64_t>{3, 32, 32}) text += "; cifar10:";
  if ((s[0] == 1 || s[0] == 3) && s[1] == s[2] && (s[1] == 28 || s[1] == 64 || s[1] == 128 || s[1] == 224))
    text += "; medmnist:";
  return text;
}

}  // namespace velum::cli
