// Both halves in one process, compared with the network in the clear.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "base/units.h"
#include "kernels/table.h"
#include "model/execute.h"
#include "report/metrics.h"
#include "session/decision.h"
#include "session/evaluation_text.h"
#include "session/images.h"
#include "session/local_run.h"
#include "session/local_states.h"
#include "session/monitor.h"
#include "session/plan_states.h"
#include "session/step_table.h"
#include "velum/velum.h"

namespace velum {

namespace {

// Shares of a run that its stages take, roughly.
constexpr double kKeys = 0.1, kRest = 0.9;

void compare(RunReport& r, std::size_t width) {
  const auto deviation = report::deviation(r.clear, r.outputs);
  r.largest_error = deviation.max_abs;
  r.precision_bits = deviation.precision_bits;
  r.agreement = 1;
  if (!unscored_text(r.form, width).empty()) return;
  const double cut = cut_of(r.form);
  const auto clear = report::predicted_classes(r.clear, width, cut),
             encrypted = report::predicted_classes(r.outputs, width, cut);
  r.agreement = report::agreement(clear, encrypted);
  if (r.labels.empty()) return;
  r.accuracy = report::agreement(encrypted, r.labels);
  r.accuracy_clear = report::agreement(clear, r.labels);
  r.macro_f1 = report::macro_f1(r.labels, encrypted);
  r.macro_f1_clear = report::macro_f1(r.labels, clear);
}

// In bits of the plan's bound, not of the largest output at hand, which may be small. Errors that are many
// times the predicted ones come from a value that left its range.
void judge(RunReport& r, double bound) {
  constexpr double kTolerated = 3;
  double squared = 0;
  for (std::size_t i = 0; i < r.clear.size(); ++i) squared += std::pow(r.clear[i] - r.outputs[i], 2);
  const double rms = std::sqrt(squared / static_cast<double>(r.clear.size()));
  r.kept_bits = -std::log2(std::max(rms / bound, 0x1p-53));
  if (!(r.kept_bits >= r.predicted_bits - kTolerated))
    r.problem = fmt::format(
        "the results keep {:.1f} bits of the plan's largest output where {:.1f} were predicted: values left "
        "the ranges "
        "that the network's layers were measured on; use images like those, or --calibrate on images like "
        "these",
        r.kept_bits, r.predicted_bits);
}

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::string bytes_text(std::uint64_t bytes) {
  return format_bytes(static_cast<double>(bytes));
}

session::Json or_null(const std::optional<double>& x) {
  return x ? session::Json(*x) : session::Json();
}

// In bits, of all of them.
std::vector<int> prime_bits(const ParameterInfo& p) {
  std::vector<int> bits;
  for (const auto* primes : {&p.primes, &p.special})
    for (const auto q : *primes)
      bits.push_back(static_cast<int>(std::lround(std::log2(static_cast<double>(q)))));
  return bits;
}

}  // namespace

RunReport run(const Model& model, const Plan& plan, const Images& images, const RunOptions& options,
              const Monitor& monitor) {
  const int team = session::team_of(options.threads);
  const ThreadScope scope(team);
  const auto& planned = plan.state().plan();
  const auto& client = planned.client;
  if (model.state().graph.name != client.model_name || model.state().graph.input_shape != client.input_shape)
    fail_user("run: the plan is of the network '{}', not of '{}'; plan this one", client.model_name,
              model.state().graph.name);
  const auto pixels = session::pixels_of(images, client.input_shape);
  const auto& labels = options.labels;
  if (!labels.empty() && labels.size() != pixels.count())
    fail_user("run: {} labels of {} images; give one for each, or none", labels.size(), pixels.count());
  plan.server().require_memory(team);

  const auto watched = session::watched(monitor);
  const Stopwatch key_watch;
  const session::LocalSession local(planned, [&](double done) {
    if (monitor.stage) monitor.stage("making keys", done, "");
    if (watched) watched(kKeys * done);
  });
  RunReport r;
  r.keygen_seconds = key_watch.seconds();
  const auto batches = static_cast<double>(engine::batch_count(pixels.count(), client));
  double begun = 0;
  std::string stage_before;
  const session::ProbeTarget target{model.state().graph, planned, plan.state().result().meanings};
  const auto result =
      session::run_locally(local, pixels.values, pixels.elements, options.probe ? &target : nullptr,
                           [&](const std::string& stage, double share, const std::string& what) {
                             if (monitor.stage) monitor.stage(stage, share, what);
                             if (!watched) return;
                             begun += !stage_before.empty() && stage != stage_before;
                             stage_before = stage;
                             watched(kKeys + kRest * (begun + share) / (2 * batches));
                           });
  r.images = pixels.count();
  r.outputs = result.outputs;
  r.clear = model::execute(model.state().graph, pixels.values, pixels.count());
  r.form = plan.client().form();
  const auto settled = model.form(options.threshold, r.clear);
  r.form.outputs = settled.outputs;
  r.form.threshold = settled.threshold;
  r.labels.assign(labels.begin(), labels.end());
  r.classes = options.classes.empty() ? r.form.classes : options.classes;
  r.encrypt_seconds = result.seconds.encrypt;
  r.decrypt_seconds = result.seconds.decrypt;
  r.predicted_bits = plan.precision_bits();
  r.predicted_seconds = plan.server().predicted_seconds() * batches;
  r.evaluation_key_bytes = plan.client().evaluation_key_bytes();
  r.peak_rss_bytes = result.peak_rss_bytes;
  r.parameters = plan.client().parameters();
  r.kernels = kernels::table().name;
  auto& e = r.evaluation;
  e.images = result.images;
  e.batches = result.batches;
  e.images_per_batch = result.images_per_batch;
  e.slots = local.params().slots();
  e.threads = team;
  e.first_run = true;
  e.evaluate_seconds = e.total_seconds = result.report.seconds;
  e.predicted_seconds = planned.total.seconds / team * batches;
  e.input_seconds = result.report.input_seconds;
  e.input_bytes = result.input_bytes;
  e.output_bytes = result.output_bytes;
  e.planned_peak_bytes = plan.server().peak_bytes(team);
  e.peak_rss_bytes = result.evaluate_peak_rss_bytes;
  e.steps = session::public_steps(result.report);
  compare(r, client.outputs);
  judge(r, planned.values[planned.output_value].bound);
  if (options.activations) r.activations = model.activations(images);
  if (watched) watched(1);
  return r;
}

std::string RunReport::to_text(double plan_seconds) const {
  const auto& e = evaluation;
  std::string t;
  const auto say = [&](const std::string& name, const std::string& value) {
    t += session::said(name, value);
  };
  say("accuracy", accuracy
                      ? fmt::format("{} encrypted, {} in the clear; macro F1 {} and {}", percent(*accuracy),
                                    percent(*accuracy_clear), percent(*macro_f1), percent(*macro_f1_clear))
                      : "unknown (no labels)");
  say("agreement",
      fmt::format("{} of {} images have the class of the clear network", percent(agreement), images));
  say("time", session::time_text(e));
  say("memory", fmt::format("{} while evaluating, {} predicted; {} in all", bytes_text(e.peak_rss_bytes),
                            bytes_text(e.planned_peak_bytes), bytes_text(peak_rss_bytes)));
  say("security", fmt::format("{} bits: ring dimension {}, log2(QP) = {:.0f}", parameters.security_bits,
                              parameters.ring_dimension, parameters.log2_qp));
  say("precision",
      fmt::format("{:.1f} bits kept, {:.1f} predicted; {:.1f} bits of the largest output (largest error "
                  "{:.2g})",
                  kept_bits, predicted_bits, precision_bits, largest_error));
  say("places", session::places_text(e));
  say("sizes", fmt::format("{}; keys {}, once", session::traffic_text(e), bytes_text(evaluation_key_bytes)));
  say("other times",
      fmt::format("{}keys {}, encrypt {}, decrypt {}",
                  plan_seconds > 0 ? fmt::format("plan {}, ", format_duration(plan_seconds)) : "",
                  format_duration(keygen_seconds), format_duration(encrypt_seconds),
                  format_duration(decrypt_seconds)));
  return t;
}

std::string RunReport::to_json(double plan_seconds) const {
  const auto& e = evaluation;
  const session::Json json = {
      {"images", images},
      {"slots", e.slots},
      {"images_per_batch", e.images_per_batch},
      {"batches", e.batches},
      {"threads", e.threads},
      {"first_run", e.first_run},
      {"kernels", kernels},
      {"accuracy_clear", or_null(accuracy_clear)},
      {"accuracy_encrypted", or_null(accuracy)},
      {"macro_f1_clear", or_null(macro_f1_clear)},
      {"macro_f1_encrypted", or_null(macro_f1)},
      {"agreement", agreement},
      {"max_abs_error", largest_error},
      {"precision_bits", precision_bits},
      {"bits_of_bound", {{"predicted", predicted_bits}, {"kept", kept_bits}}},
      {"seconds",
       {{"plan", plan_seconds},
        {"keygen", keygen_seconds},
        {"encrypt", encrypt_seconds},
        {"evaluate", e.evaluate_seconds},
        {"decrypt", decrypt_seconds}}},
      {"predicted_seconds", e.predicted_seconds},
      {"amortized_ms", 1e3 * e.evaluate_seconds / static_cast<double>(std::max<std::size_t>(images, 1))},
      {"bytes", {{"input", e.input_bytes}, {"output", e.output_bytes}, {"eval_keys", evaluation_key_bytes}}},
      {"peak_rss_bytes", peak_rss_bytes},
      {"evaluate_peak_rss_bytes", e.peak_rss_bytes},
      {"planned_peak_bytes", e.planned_peak_bytes},
      {"params",
       {{"ring", parameters.ring},
        {"ring_dimension", parameters.ring_dimension},
        {"log2_qp", parameters.log2_qp},
        {"security_bits", parameters.security_bits},
        {"prime_bits", prime_bits(parameters)},
        {"special_primes", parameters.special.size()}}},
      {"input_seconds", e.input_seconds},
      {"layers", session::layers_json(session::private_steps(e))}};
  return json.dump(2, ' ', false, session::Json::error_handler_t::replace) + "\n";
}

}  // namespace velum
