// velum run: everything in one process, compared with the clear network.
#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/plan_options.h"
#include "cli/predictions.h"
#include "cli/report_page.h"
#include "model/execute.h"
#include "report/metrics.h"
#include "session/client_batch.h"
#include "session/files.h"
#include "session/local_run.h"
#include "session/step_table.h"
#include "system/file.h"
#include "system/program.h"
#include "system/progress.h"
#include "system/terminal.h"

namespace velum::cli {

namespace {

// A line on the terminal for the stage at work.
class StageBar {
 public:
  void operator()(const std::string& stage, double share, const std::string& what) {
    if (!bar_ || stage != stage_) {
      bar_.reset();
      bar_ = std::make_shared<Progress>(stage, 1);
      stage_ = stage;
    }
    bar_->set(share, what);
  }

 private:
  std::shared_ptr<Progress> bar_;
  std::string stage_;
};

struct Options {
  PlanOptions plan;
  DataOptions data;
  std::string out, html;
  bool probe = false;
  CommonOptions common;
};

// How the encrypted outputs compare with the clear ones.
struct Comparison {
  std::optional<double> accuracy_clear, accuracy_encrypted;  // where the images have labels
  double agreement = 0, max_abs_error = 0, precision_bits = 0;
};

Comparison compare(std::span<const double> clear, std::span<const double> encrypted, const Taken& taken,
                   std::span<const std::int32_t> labels) {
  Comparison c;
  const auto deviation = report::deviation(clear, encrypted);
  c.max_abs_error = deviation.max_abs;
  c.precision_bits = deviation.precision_bits;
  const double cut = cut_of(taken.form);
  const auto clear_classes = report::predicted_classes(clear, taken.outputs, cut),
             encrypted_classes = report::predicted_classes(encrypted, taken.outputs, cut);
  c.agreement = report::agreement(clear_classes, encrypted_classes);
  if (!labels.empty() && unscored_text(taken).empty()) {
    c.accuracy_clear = report::agreement(clear_classes, labels);
    c.accuracy_encrypted = report::agreement(encrypted_classes, labels);
  }
  return c;
}

// In bits of the plan's bound, not of the largest output at hand, which may be small.
struct KeptBits {
  double predicted = 0, measured = 0;
};

KeptBits kept_bits(std::span<const double> clear, std::span<const double> encrypted,
                   const plan::ServerPlan& plan) {
  const auto& output = plan.values[plan.output_value];
  double squared = 0;
  for (std::size_t i = 0; i < clear.size(); ++i) squared += std::pow(clear[i] - encrypted[i], 2);
  const double rms = std::sqrt(squared / static_cast<double>(clear.size()));
  return {-std::log2(output.error_rms / output.bound), -std::log2(std::max(rms / output.bound, 0x1p-53))};
}

// Errors that are many times the predicted ones come from a value that left its range.
void require_precision(const KeptBits& bits) {
  constexpr double kTolerated = 3;
  if (!(bits.measured >= bits.predicted - kTolerated))
    fail_user(
        "the results keep {:.1f} bits of the plan's largest output where {:.1f} were predicted: values left "
        "the ranges "
        "that the network's layers were measured on; use images like those, or --calibrate on images like "
        "these",
        bits.measured, bits.predicted);
}

std::vector<int> prime_bits(const ckks::Parameters& params) {
  std::vector<int> bits;
  for (std::size_t i = 0; i < params.ring().count(); ++i)
    bits.push_back(static_cast<int>(std::lround(std::log2(static_cast<double>(params.ring().q(i))))));
  return bits;
}

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.2f} %", 100 * *share) : "unknown (no labels)";
}

Json or_null(const std::optional<double>& x) {
  return x ? Json(*x) : Json();
}

void print_result(const session::LocalResult& r, const Comparison& c, const session::StageSeconds& s,
                  const ckks::Parameters& params, std::uint64_t key_bytes) {
  const auto images = static_cast<double>(r.images);
  const auto per_image = [&](std::uint64_t bytes) {
    return format_bytes(static_cast<double>(bytes)) + ", " +
           format_bytes(static_cast<double>(bytes) / images) + " an image";
  };
  fmt::print("\n{}\n", session::layer_table(r.report));
  fmt::print("images               {} in {} {} of {} places\n", r.images, r.batches,
             r.batches == 1 ? "batch" : "batches", r.images_per_batch);
  fmt::print("accuracy, clear      {}\n", percent(c.accuracy_clear));
  fmt::print("accuracy, encrypted  {}\n", percent(c.accuracy_encrypted));
  fmt::print("agreement            {:.2f} %\n", 100 * c.agreement);
  fmt::print("precision            {:.1f} bits (largest error {:.2g})\n", c.precision_bits, c.max_abs_error);
  fmt::print("security             {} bits: ring dimension {}, log2(QP) = {:.0f}\n",
             static_cast<int>(params.literal().security), params.n(), params.log2_qp());
  fmt::print("time                 plan {}, keys {}, encrypt {}, evaluate {}, decrypt {}\n",
             format_duration(s.plan), format_duration(s.keygen), format_duration(s.encrypt),
             format_duration(s.evaluate), format_duration(s.decrypt));
  fmt::print("evaluation, amortised  {:.3f} ms an image, {} threads\n", 1e3 * s.evaluate / images, threads());
  fmt::print("input                {}\n", per_image(r.input_bytes));
  fmt::print("output               {}\n", per_image(r.output_bytes));
  fmt::print("evaluation keys      {}\n", format_bytes(static_cast<double>(key_bytes)));
  fmt::print("peak memory          {} ({} while evaluating)\n",
             format_bytes(static_cast<double>(r.peak_rss_bytes)),
             format_bytes(static_cast<double>(r.evaluate_peak_rss_bytes)));
}

Json result_json(const Options& o, const std::string& data_name, const session::LocalResult& r,
                 const Comparison& c, const session::StageSeconds& s, const plan::ServerPlan& plan,
                 const ckks::Parameters& params, std::uint64_t key_bytes) {
  return {{"model", o.plan.model},
          {"data", data_name},
          {"split", o.data.split},
          {"images", r.images},
          {"slots", params.slots()},
          {"images_per_batch", r.images_per_batch},
          {"batches", r.batches},
          {"threads", threads()},
          {"kernels", kernels::table().name},
          {"accuracy_clear", or_null(c.accuracy_clear)},
          {"accuracy_encrypted", or_null(c.accuracy_encrypted)},
          {"agreement", c.agreement},
          {"max_abs_error", c.max_abs_error},
          {"precision_bits", c.precision_bits},
          {"seconds",
           {{"plan", s.plan},
            {"keygen", s.keygen},
            {"encrypt", s.encrypt},
            {"evaluate", s.evaluate},
            {"decrypt", s.decrypt}}},
          {"amortized_ms", 1e3 * s.evaluate / static_cast<double>(r.images)},
          {"bytes", {{"input", r.input_bytes}, {"output", r.output_bytes}, {"eval_keys", key_bytes}}},
          {"peak_rss_bytes", r.peak_rss_bytes},
          {"evaluate_peak_rss_bytes", r.evaluate_peak_rss_bytes},
          {"planned_peak_bytes", plan.peak_bytes},
          {"params",
           {{"ring", ring::name(params.ring_type())},
            {"ring_dimension", params.n()},
            {"log2_qp", params.log2_qp()},
            {"security_bits", static_cast<int>(params.literal().security)},
            {"prime_bits", prime_bits(params)},
            {"special_primes", params.special_count()}}},
          {"input_seconds", r.report.input_seconds},
          {"layers", session::layers_json(r.report)}};
}

// The encrypted network beside the clear one, where there are labels to compare with, and the time of each
// step.
report::Report make_report(const Options& o, const model::Graph& graph, const data::Dataset& set,
                           const session::LocalResult& result, const Comparison& comparison,
                           std::span<const double> clear, const plan::ServerPlan& plan, const Taken& taken) {
  auto r = begin_report("Encrypted run", o.plan.model, graph, set, o.data);
  add_plan_facts(r, plan);
  const auto images = static_cast<double>(result.images);
  r.facts.push_back({"agreement, encrypted and clear", fmt::format("{:.2f} %", 100 * comparison.agreement)});
  r.facts.push_back({"precision", fmt::format("{:.1f} bits (largest error {:.2g})", comparison.precision_bits,
                                              comparison.max_abs_error)});
  r.facts.push_back({"evaluation, amortised",
                     fmt::format("{:.3f} ms an image, {} in all", 1e3 * result.seconds.evaluate / images,
                                 format_duration(result.seconds.evaluate))});
  r.facts.push_back({"input", format_bytes(static_cast<double>(result.input_bytes) / images) + " an image"});
  r.facts.push_back(
      {"output", format_bytes(static_cast<double>(result.output_bytes) / images) + " an image"});
  r.facts.push_back({"peak memory", format_bytes(static_cast<double>(result.peak_rss_bytes))});
  if (!set.labels.empty() && unscored_text(taken).empty()) {
    const auto measured = [&](std::span<const double> outputs) {
      return report::thinned(
          report::measure(outputs, plan.client.outputs, set.labels, set.classes, cut_of(taken.form)));
    };
    r.evaluations = {{"encrypted", measured(result.outputs)}, {"clear", measured(clear)}};
  }
  r.steps.push_back({"reading the input", result.report.input_seconds});
  for (const auto& step : result.report.steps) r.steps.push_back({step.name, step.seconds});
  r.activations = observed_activations(graph, set);
  return r;
}

void run(const Options& o) {
  forbid_core_dumps();
  begin_command(o.common, {{"--out", o.out}, {"--html", o.html}}, inputs_of(o.plan, o.data));
  auto loaded = load_model(o.plan);
  const auto& graph = loaded.graph;
  require_encryptable(graph, o.plan.model);
  const auto set = load_data(o.data, loaded.taken, o.out.empty() ? Labels::scored : Labels::if_known);
  check_labels(set, loaded.taken);
  print_notes(graph.notes);
  print_notes(set.notes);
  const Stopwatch plan_watch;
  const auto planned = plan::make_plan(graph, to_request(o.plan, o.common.threads, set.count()));
  session::StageSeconds seconds;
  seconds.plan = plan_watch.seconds();
  print_notes(planned.notes);
  fmt::print("{}", plan::to_text(planned.plan));
  std::fflush(stdout);

  const auto& client = planned.plan.client;
  check_pixels(set, client.input_low, client.input_high);
  if (const auto line = session::unlike_note(client, session::unlike_images(client, set.images), set.count());
      !line.empty())
    say_on_stderr("velum run: " + line);

  const Stopwatch key_watch;
  const session::LocalSession local(planned.plan);
  seconds.keygen = key_watch.seconds();
  const auto key_bytes = session::evaluation_keys_file(local.keys(), local.params()).size();
  const session::ProbeTarget target{graph, planned};
  const auto result =
      session::run_locally(local, set.images, set.elements(), o.probe ? &target : nullptr, StageBar());
  seconds.encrypt = result.seconds.encrypt;
  seconds.evaluate = result.seconds.evaluate;
  seconds.decrypt = result.seconds.decrypt;

  const auto clear = model::execute(graph, set.images, set.count());
  settle_outputs(loaded, o.plan, clear);
  const auto& taken = loaded.taken;
  const auto comparison = compare(clear, result.outputs, taken, set.labels);
  print_result(result, comparison, seconds, local.params(), key_bytes);
  if (const auto rule = rule_text(taken); !rule.empty()) fmt::print("{}\n", rule);
  if (const auto unscored = unscored_text(taken); !unscored.empty()) fmt::print("note: {}\n", unscored);
  std::fflush(stdout);
  const auto bits = kept_bits(clear, result.outputs, planned.plan);
  require_precision(bits);
  if (!o.out.empty())
    write_file_atomically(
        o.out, predictions_csv({taken, result.outputs, result.outputs, set.labels, set.files}), kOwnerOnly);
  if (!o.html.empty())
    write_file_atomically(
        o.html, report::to_html(make_report(o, graph, set, result, comparison, clear, planned.plan, taken)),
        kOwnerOnly);
  auto json = result_json(o, set.name, result, comparison, seconds, planned.plan, local.params(), key_bytes);
  json["bits_of_bound"] = {{"predicted", bits.predicted}, {"kept", bits.measured}};
  write_json(o.common, json, kOwnerOnly);
}

}  // namespace

Command make_run_command(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "run", "Plan, encrypt, evaluate and decrypt in one process, compared with the clear network");
  auto o = std::make_shared<Options>();
  add_plan_options(*sub, o->plan);
  add_data_options(*sub, o->data, true);
  sub->add_option("--out", o->out,
                  "Write the predictions, a probability and the encrypted outputs to this CSV file")
      ->type_name("FILE");
  sub->add_option("--html", o->html,
                  "Write a page with the encrypted and the clear confusion matrix and the time of every step")
      ->type_name("FILE");
  sub->add_flag(
      "--probe", o->probe,
      "Decrypt every layer of the first batch and report its precision against the clear network, and "
      "what of it is noise alone");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
