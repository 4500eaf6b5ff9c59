#include "cli/image_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "data/classes.h"
#include "session/decision.h"

namespace velum::cli {

namespace {

void choose(plan::DataForm& form, const ImageOptions& options) {
  if (options.resize == "stretch") form.fitting = plan::Fitting::stretch;
  if (options.resize == "fit") form.fitting = plan::Fitting::fit;
  if (options.resize == "crop") form.fitting = plan::Fitting::crop;
  if (!options.exif.empty()) form.as_they_lie = options.exif == "ignore";
}

std::size_t classes_of(const Taken& taken) {
  return session::class_count(taken.outputs);
}

void name_classes(Taken& taken, std::vector<std::string> names, const std::string& origin) {
  if (names.empty() || taken.form.outputs == plan::OutputKind::map) return;
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
  app.add_option(
         "--classes", options.classes,
         "Names of the classes in the order of the outputs, one a line: class folders are matched by them")
      ->type_name("FILE");
}

Taken taken_by(const model::Graph& graph, const ImageOptions& options) {
  Taken taken{graph.input_shape, session::form_of(graph),
              static_cast<std::size_t>(model::element_count(graph.shape_of(graph.output)))};
  choose(taken.form, options);
  if (!options.classes.empty())
    name_classes(taken, data::read_class_names(options.classes), "--classes " + options.classes);
  return taken;
}

Taken taken_by(const plan::ClientPlan& plan, const ImageOptions& options) {
  Taken taken{plan.input_shape, plan.form, plan.outputs};
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
  load.resize = form.fitting == plan::Fitting::fit    ? data::Resize::fit
                : form.fitting == plan::Fitting::crop ? data::Resize::crop
                                                      : data::Resize::stretch;
  load.ignore_exif = form.as_they_lie;
  return load;
}

std::string feeds_text(const Taken& taken) {
  const auto& s = taken.shape;
  const auto& form = taken.form;
  const auto range = fmt::format("floats from {:g} to {:g}, or bytes", form.low, form.high);
  if (s.size() != 3) return fmt::format("npy: arrays (N, {}) of {}", model::element_count(s), range);
  std::string text = fmt::format("npy: arrays (N, {}, {}, {}) or (N, {}, {}, {}) of {}", s[0], s[1], s[2],
                                 s[1], s[2], s[0], range);
  if (s[0] == 1 || s[0] == 3) text += "; folder: and list: of images in any size";
  if (s == model::Shape{1, 28, 28}) text += "; mnist:, digits";
  if (s == model::Shape{3, 32, 32}) text += "; cifar10:";
  if ((s[0] == 1 || s[0] == 3) && s[1] == s[2] && (s[1] == 28 || s[1] == 64 || s[1] == 128 || s[1] == 224))
    text += "; medmnist:";
  return text;
}

}  // namespace velum::cli
