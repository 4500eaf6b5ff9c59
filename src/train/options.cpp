#include "train/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/error.h"
#include "train/affine_layers.h"
#include "train/device.h"
#include "train/option_table.h"
#include "train/recipe.h"

namespace velum::train {

namespace {

void require(bool good, std::string_view option, double value, std::string_view may_be) {
  if (!good) fail_user("--{} {}: must be {}", option, value, may_be);
}

void require_one_of(std::string_view option, const std::string& value,
                    std::initializer_list<std::string_view> names) {
  if (std::find(names.begin(), names.end(), value) == names.end())
    fail_user("--{} {}: choose one of {}", option, value, fmt::join(names, ", "));
}

bool is_part(double x) {
  return x >= 0 && x <= 1;
}

void validate_activations(const TrainOptions& o) {
  require(o.coefficient_rate >= 0, "coefficient-rate", o.coefficient_rate, "0 or more");
  require(o.coefficient_scale > 0, "coefficient-scale", o.coefficient_scale, "above 0");
  require(o.coefficient_decay >= 0, "coefficient-decay", o.coefficient_decay, "0 or more");
  require(o.coefficient_clip >= 0, "coefficient-clip", o.coefficient_clip, "0 or more");
  require(is_part(o.coefficients_first), "coefficients-first", o.coefficients_first, "in [0, 1]");
  require(o.smoothness >= 0, "smoothness", o.smoothness, "0 or more");
  require(o.limits.min_curvature > 0, "min-curvature", o.limits.min_curvature, "above 0");
  require(o.limits.max_centre > 0, "max-centre", o.limits.max_centre, "above 0");
  require(o.range_limit > 0, "range-limit", o.range_limit, "above 0");
  require(o.range_penalty >= 0, "range-penalty", o.range_penalty, "0 or more");
  require(is_part(o.ranges_first), "ranges-first", o.ranges_first, "in [0, 1]");
  require(is_part(o.fixed_norms_last), "fixed-norms-last", o.fixed_norms_last, "in [0, 1]");
  require(o.range_peak >= 0, "range-peak", o.range_peak, "0 or more");
  require(o.margin >= 0, "margin", o.margin, "0 or more");
  if (o.max_pool && o.activation != ActivationKind::relu)
    fail_user("--max-pool: not polynomial; only networks of --activation relu may have it, not {}",
              to_string(o.activation));
}

void validate_augmentation(const Augmentation& g) {
  require(g.shift >= 0 && std::isfinite(g.shift), "shift", g.shift, "0 or more pixels");
  require(g.rotate >= 0 && g.rotate <= 180, "rotate", g.rotate, "from 0 to 180 degrees");
  require(g.scale >= 0 && g.scale < 1, "scale", g.scale, "in [0, 1): sizes from 1 - scale to 1 + scale");
  require(g.shear >= 0 && g.shear < 90, "shear", g.shear, "from 0 to less than 90 degrees");
  require(g.elastic >= 0 && std::isfinite(g.elastic), "elastic", g.elastic, "0 or more pixels");
  require(is_part(g.intensity), "intensity", g.intensity,
          "in [0, 1]: contrast from 1 - intensity to 1 + intensity");
  require(g.cutout >= 0 && std::isfinite(g.cutout), "cutout", g.cutout, "0 or more pixels");
  require(g.mixup >= 0 && std::isfinite(g.mixup), "mixup", g.mixup, "0 or more");
}

void validate_recipe(const TrainOptions& o) {
  require_recipe(o.recipe);
  require(o.teacher_epochs >= 0, "teacher-epochs", o.teacher_epochs, "0 or more");
  require(o.transition >= 0 && o.transition < 1, "transition", o.transition,
          "in [0, 1): some epochs are left for the finished network");
  require_one_of("order", o.order, {"together", "layerwise"});
  require(o.temperature > 0, "temperature", o.temperature, "above 0");
  require(o.distil_weight >= 0, "distil-weight", o.distil_weight, "0 or more");
  require(o.feature_weight >= 0, "feature-weight", o.feature_weight, "0 or more");
  require(o.quantise_bits >= 2 && o.quantise_bits <= 16, "quantise-bits", o.quantise_bits, "from 2 to 16");
  require(is_part(o.quantise_last), "quantise-last", o.quantise_last, "in [0, 1]");
  if (o.ranges_first > 0 && o.ranges_first + o.transition >= 1)
    fail_user(
        "--ranges-first {} and --transition {}: together less than 1, so that epochs are left for the "
        "quadratics",
        o.ranges_first, o.transition);
  if (o.activation == ActivationKind::relu && o.transition > 0)
    fail_user("--transition {}: there is nothing to replace with --activation relu", o.transition);
}

}  // namespace

void validate(const TrainOptions& o) {
  if (o.data.empty()) fail_user("--data: no data set given; for example --data digits or --data mnist:DIR");
  require(o.epochs >= 1, "epochs", o.epochs, "at least 1");
  require(o.batch >= 2, "batch", o.batch, "at least 2 (batch norm needs more than one image)");
  require_one_of("optimiser", o.optimiser, {"adam", "sgd"});
  require_one_of("schedule", o.schedule, {"cosine", "plateau", "constant"});
  require(o.plateau_patience >= 1, "plateau-patience", o.plateau_patience, "at least 1");
  require(o.early_stop >= 0, "early-stop", o.early_stop, "0 or more");
  require(o.learning_rate > 0 && std::isfinite(o.learning_rate), "lr", o.learning_rate,
          "above 0, and finite");
  require(o.weight_decay >= 0, "weight-decay", o.weight_decay, "0 or more");
  require(o.gradient_clip >= 0, "clip", o.gradient_clip, "0 or more");
  require(o.label_smoothing >= 0 && o.label_smoothing < 1, "label-smoothing", o.label_smoothing, "in [0, 1)");
  require(o.average >= 0 && o.average < 1, "average", o.average, "in [0, 1)");
  require(o.width > 0, "width", o.width, "above 0");
  for (const auto w : o.widths) require(w >= 1, "widths", static_cast<double>(w), "1 or more each");
  require(o.dropout >= 0 && o.dropout < 1, "dropout", o.dropout, "in [0, 1)");
  require(o.image_size >= 0 && o.image_size <= 16384, "image-size", static_cast<double>(o.image_size),
          "from 0 to 16384");
  require(o.channels == 0 || o.channels == 1 || o.channels == 3, "channels", static_cast<double>(o.channels),
          "1 (grey), 3 (RGB) or 0 (as the first image)");
  require_one_of("resize", o.resize, {"fit", "crop", "stretch"});
  require_one_of("exif", o.exif, {"apply", "ignore"});
  load_options_of(o);
  validate_augmentation(o.augmentation);
  parse_products(o.products);
  find_device(o.device);
  require(o.threads >= 0, "threads", o.threads, "0 or more");
  validate_activations(o);
  validate_recipe(o);
  if (o.keep_best && o.all_data)
    fail_user(
        "--keep-best: chooses by the validation images, which --all-data trains on; leave one of the two "
        "out");
  if (o.resume && o.checkpoint.empty())
    fail_user("--resume: needs --checkpoint FILE, the file to resume from");
}

std::map<std::string, std::string> describe(const TrainOptions& o) {
  std::map<std::string, std::string> out;
  visit_options(o, [&](const OptionInfo& info, const auto& field) {
    using Field = std::decay_t<decltype(field)>;
    if (!info.changes_result) return;
    if constexpr (std::is_enum_v<Field>)
      out[info.name] = to_string(field);
    else if constexpr (std::is_same_v<Field, std::vector<std::int64_t>>)
      out[info.name] = fmt::format("{}", fmt::join(field, ","));
    else
      out[info.name] = fmt::format("{}", field);
  });
  // The kind alone: a path would say more about the machine than about the run.
  out["data"] = o.data.substr(0, o.data.find(':'));
  const bool taught =
      !o.teacher.empty() || (o.activation != ActivationKind::relu && (o.warm_start || o.teacher_epochs > 0));
  out["distil"] = taught && o.distil_weight > 0 ? "true" : "false";
  if (!o.from.empty()) out["net"] = "of --from";
  return out;
}

model::LoadOptions load_options_of(const TrainOptions& o) {
  return {o.output, model::parse_shape(o.shape),
          model::parse_pixels(o.input_range, o.input_mean, o.input_std)};
}

CoefficientLimits limits_of(const TrainOptions& o) {
  auto limits = o.limits;
  // y = x with the least curvature has its centre that far out, as has a fit to a range that asks for less.
  if (o.start == Start::identity || o.start == Start::range)
    limits.max_centre = std::max(limits.max_centre, 0.5 / limits.min_curvature);
  return limits;
}

}  // namespace velum::train
