// Both halves in one process, compared with the network in the clear.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "ckks/core/key_sizes.h"
#include "model/execute.h"
#include "report/metrics.h"
#include "session/decision.h"
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

void compare(RunReport& r, const plan::ClientPlan& client, std::span<const std::int32_t> labels) {
  const auto deviation = report::deviation(r.clear, r.outputs);
  r.largest_error = deviation.max_abs;
  r.precision_bits = deviation.precision_bits;
  r.agreement = 1;
  if (!session::unscored_text(client.form, client.outputs).empty()) return;
  const double cut = session::cut_of(client.form);
  const auto clear = report::predicted_classes(r.clear, client.outputs, cut),
             encrypted = report::predicted_classes(r.outputs, client.outputs, cut);
  r.agreement = report::agreement(clear, encrypted);
  if (!labels.empty()) r.accuracy = report::agreement(encrypted, labels);
}

}  // namespace

RunReport run(const Model& model, const Plan& plan, const Images& images,
              std::span<const std::int32_t> labels, int threads, const Monitor& monitor) {
  const int team = session::team_of(threads);
  const ThreadScope scope(team);
  const auto& planned = plan.state().result.plan;
  const auto& client = planned.client;
  if (model.state().graph.name != client.model_name || model.state().graph.input_shape != client.input_shape)
    fail_user("run: the plan is of the network '{}', not of '{}'; plan this one", client.model_name,
              model.state().graph.name);
  const auto pixels = session::pixels_of(images, client.input_shape);
  if (!labels.empty() && labels.size() != pixels.count())
    fail_user("run: {} labels of {} images; give one for each, or none", labels.size(), pixels.count());
  plan.server().require_memory(team);

  const auto watched = session::watched(monitor);
  const Stopwatch key_watch;
  const session::LocalSession local(planned, [&](double done) {
    if (watched) watched(kKeys * done);
  });
  RunReport r;
  r.keygen_seconds = key_watch.seconds();
  const auto batches = static_cast<double>(engine::batch_count(pixels.count(), client));
  double begun = 0;
  std::string stage_before;
  const auto result = session::run_locally(local, pixels.values, pixels.elements, nullptr,
                                           [&](const std::string& stage, double share, const std::string&) {
                                             if (!watched) return;
                                             begun += !stage_before.empty() && stage != stage_before;
                                             stage_before = stage;
                                             watched(kKeys + kRest * (begun + share) / (2 * batches));
                                           });
  r.images = pixels.count();
  r.outputs = result.outputs;
  r.clear = model::execute(model.state().graph, pixels.values, pixels.count());
  r.encrypt_seconds = result.seconds.encrypt;
  r.decrypt_seconds = result.seconds.decrypt;
  r.predicted_bits = plan.precision_bits();
  r.evaluation_key_bytes = plan.client().evaluation_key_bytes();
  auto& e = r.evaluation;
  e.images = result.images;
  e.batches = result.batches;
  e.images_per_batch = result.images_per_batch;
  e.slots = local.params().slots();
  e.threads = team;
  e.evaluate_seconds = e.total_seconds = result.report.seconds;
  e.input_seconds = result.report.input_seconds;
  e.input_bytes = result.input_bytes;
  e.output_bytes = result.output_bytes;
  e.planned_peak_bytes = plan.server().peak_bytes(team);
  e.peak_rss_bytes = result.evaluate_peak_rss_bytes;
  e.steps = session::public_steps(result.report);
  compare(r, client, labels);
  if (watched) watched(1);
  return r;
}

std::string RunReport::to_json() const {
  session::Json json = {{"images", images},
                        {"accuracy_encrypted", accuracy ? session::Json(*accuracy) : session::Json()},
                        {"agreement", agreement},
                        {"max_abs_error", largest_error},
                        {"precision_bits", precision_bits},
                        {"predicted_bits_of_bound", predicted_bits},
                        {"seconds",
                         {{"keygen", keygen_seconds},
                          {"encrypt", encrypt_seconds},
                          {"evaluate", evaluation.evaluate_seconds},
                          {"decrypt", decrypt_seconds}}},
                        {"bytes", {{"eval_keys", evaluation_key_bytes}}},
                        {"evaluation", session::Json::parse(evaluation.to_json())}};
  return json.dump(2, ' ', false, session::Json::error_handler_t::replace) + "\n";
}

}  // namespace velum
