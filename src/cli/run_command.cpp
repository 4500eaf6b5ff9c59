// velum run: everything in one process, compared with the clear network.
#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "cli/client_batch.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/files.h"
#include "cli/local_run.h"
#include "cli/plan_options.h"
#include "cli/predictions.h"
#include "cli/report_page.h"
#include "cli/step_table.h"
#include "model/execute.h"
#include "report/metrics.h"

namespace velum::cli {

namespace {

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

Comparison compare(std::span<const double> clear, std::span<const double> encrypted, std::size_t width,
                   std::span<const std::int32_t> labels) {
  Comparison c;
  const auto deviation = report::deviation(clear, encrypted);
  c.max_abs_error = deviation.max_abs;
  c.precision_bits = deviation.precision_bits;
  const auto clear_classes = report::predicted_classes(clear, width),
             encrypted_classes = report::predicted_classes(encrypted, width);
  c.agreement = report::agreement(clear_classes, encrypted_classes);
  if (!labels.empty()) {
    c.accuracy_clear = report::agreement(clear_classes, labels);
    c.accuracy_encrypted = report::agreement(encrypted_classes, labels);
  }
  return c;
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

void print_result(const LocalResult& r, const Comparison& c, const StageSeconds& s,
                  const ckks::Parameters& params, std::uint64_t key_bytes) {
  const auto images = static_cast<double>(r.images);
  const auto per_image = [&](std::uint64_t bytes) {
    return format_bytes(static_cast<double>(bytes)) + ", " +
           format_bytes(static_cast<double>(bytes) / images) + " an image";
  };
  fmt::print("\n{}\n", layer_table(r.report));
  fmt::print("images               {} in {} {} of {} slots\n", r.images, r.batches,
             r.batches == 1 ? "batch" : "batches", params.slots());
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

Json result_json(const Options& o, const std::string& data_name, const LocalResult& r, const Comparison& c,
                 const StageSeconds& s, const plan::ServerPlan& plan, const ckks::Parameters& params,
                 std::uint64_t key_bytes) {
  return {{"model", o.plan.model},
          {"data", data_name},
          {"split", o.data.split},
          {"images", r.images},
          {"slots", params.slots()},
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
          {"layers", layers_json(r.report)}};
}

// The encrypted network beside the clear one, where there are labels to compare with, and the time of each
// step.
report::Report make_report(const Options& o, const model::Graph& graph, const data::Dataset& set,
                           const LocalResult& result, const Comparison& comparison,
                           std::span<const double> clear, const plan::ServerPlan& plan) {
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
  if (!set.labels.empty()) {
    const auto measured = [&](std::span<const double> outputs) {
      return report::thinned(report::measure(outputs, plan.client.outputs, set.labels, set.classes));
    };
    r.evaluations = {{"encrypted", measured(result.outputs)}, {"clear", measured(clear)}};
  }
  r.steps.push_back({"reading the input", result.report.input_seconds});
  for (const auto& step : result.report.steps) r.steps.push_back({step.name, step.seconds});
  r.activations = observed_activations(graph, set);
  return r;
}

void run(const Options& o) {
  use_threads(o.common);
  for (const auto* path : {&o.out, &o.html})
    if (!path->empty()) require_writable(*path);
  const auto graph = load_model(o.plan);
  const auto set = load_data(o.data, graph);
  const Stopwatch plan_watch;
  const auto planned = plan::make_plan(graph, to_request(o.plan, o.common.threads));
  StageSeconds seconds;
  seconds.plan = plan_watch.seconds();
  for (const auto& note : planned.notes) fmt::print("note: {}\n", note);
  fmt::print("{}", plan::to_text(planned.plan));
  std::fflush(stdout);

  const auto& client = planned.plan.client;
  check_pixels(set, client.input_low, client.input_high);

  const Stopwatch key_watch;
  const LocalSession session(planned.plan);
  seconds.keygen = key_watch.seconds();
  const auto key_bytes = evaluation_keys_file(session.keys(), session.params()).size();
  const ProbeTarget target{graph, planned};
  const auto result = run_locally(session, set.images, set.elements(), o.probe ? &target : nullptr);
  seconds.encrypt = result.seconds.encrypt;
  seconds.evaluate = result.seconds.evaluate;
  seconds.decrypt = result.seconds.decrypt;

  const auto clear = model::execute(graph, set.images, set.count());
  const auto comparison = compare(clear, result.outputs, client.outputs, set.labels);
  print_result(result, comparison, seconds, session.params(), key_bytes);
  if (!o.out.empty())
    write_file_atomically(o.out, predictions_csv(result.outputs, client.outputs, set.labels));
  if (!o.html.empty())
    write_file_atomically(
        o.html, report::to_html(make_report(o, graph, set, result, comparison, clear, planned.plan)));
  write_json(o.common, result_json(o, set.name, result, comparison, seconds, planned.plan, session.params(),
                                   key_bytes));
}

}  // namespace

Command make_run_command(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "run", "Plan, encrypt, evaluate and decrypt in one process, compared with the clear network");
  auto o = std::make_shared<Options>();
  add_plan_options(*sub, o->plan);
  add_data_options(*sub, o->data, true);
  sub->add_option("--out", o->out, "Write the predictions to this CSV file")->type_name("FILE");
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
