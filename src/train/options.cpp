#include "train/options.h"

#include <fmt/format.h>

#include "base/error.h"

namespace velum::train {

namespace {

void require(bool good, std::string_view option, double value, std::string_view may_be) {
  if (!good) fail_user("--{} {}: must be {}", option, value, may_be);
}

}  // namespace

void validate(const TrainOptions& o) {
  if (o.data.empty()) fail_user("--data: no data set given; for example --data digits or --data mnist:DIR");
  require(o.epochs >= 1, "epochs", o.epochs, "at least 1");
  require(o.batch >= 2, "batch", o.batch, "at least 2 (batch norm needs more than one image)");
  if (o.optimiser != "adam" && o.optimiser != "sgd")
    fail_user("--optimiser {}: choose adam or sgd", o.optimiser);
  require(o.learning_rate > 0, "lr", o.learning_rate, "above 0");
  require(o.coefficient_rate >= 0, "coefficient-rate", o.coefficient_rate, "0 or more");
  require(o.weight_decay >= 0, "weight-decay", o.weight_decay, "0 or more");
  require(o.gradient_clip >= 0, "clip", o.gradient_clip, "0 or more");
  require(o.label_smoothing >= 0 && o.label_smoothing < 1, "label-smoothing", o.label_smoothing, "in [0, 1)");
  require(o.limits.min_curvature > 0, "min-curvature", o.limits.min_curvature, "above 0");
  require(o.limits.max_centre > 0, "max-centre", o.limits.max_centre, "above 0");
  require(o.range_limit > 0, "range-limit", o.range_limit, "above 0");
  require(o.range_penalty >= 0, "range-penalty", o.range_penalty, "0 or more");
  require(o.margin >= 0, "margin", o.margin, "0 or more");
  require(o.temperature > 0, "temperature", o.temperature, "above 0");
  require(o.distil_weight >= 0, "distil-weight", o.distil_weight, "0 or more");
  require(o.width > 0, "width", o.width, "above 0");
  require(o.dropout >= 0 && o.dropout < 1, "dropout", o.dropout, "in [0, 1)");
  require(o.threads >= 0, "threads", o.threads, "0 or more");
  if (o.resume && o.checkpoint.empty())
    fail_user("--resume: needs --checkpoint FILE, the file to resume from");
}

std::map<std::string, std::string> describe(const TrainOptions& o) {
  const auto& g = o.augmentation;
  std::map<std::string, std::string> out;
  const auto put = [&](const char* name, const auto& value) { out[name] = fmt::format("{}", value); };
  // The kind alone: a path would say more about the machine than about the run.
  put("data", o.data.substr(0, o.data.find(':')));
  put("net", o.network);
  put("activation", to_string(o.activation));
  put("width", o.width);
  put("dropout", o.dropout);
  put("epochs", o.epochs);
  put("batch", o.batch);
  put("optimiser", o.optimiser);
  put("lr", o.learning_rate);
  put("coefficient-rate", o.coefficient_rate);
  put("weight-decay", o.weight_decay);
  put("clip", o.gradient_clip);
  put("label-smoothing", o.label_smoothing);
  put("class-weights", o.class_weights);
  put("seed", o.seed);
  put("min-curvature", o.limits.min_curvature);
  put("max-centre", o.limits.max_centre);
  put("range-limit", o.range_limit);
  put("range-penalty", o.range_penalty);
  put("margin", o.margin);
  put("distil", !o.teacher.empty());
  put("distil-weight", o.distil_weight);
  put("temperature", o.temperature);
  put("shift", g.shift);
  put("rotate", g.rotate);
  put("scale", g.scale);
  put("shear", g.shear);
  put("elastic", g.elastic);
  put("flip", g.flip);
  put("intensity", g.intensity);
  put("cutout", g.cutout);
  put("edge-fill", g.edge_fill);
  put("all-data", o.all_data);
  return out;
}

}  // namespace velum::train
