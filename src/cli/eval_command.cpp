// velum eval: a network in doubles on labelled images, as it is and with the weights of the encrypted engine.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "ckks/core/parameters.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/metrics_text.h"
#include "cli/plan_options.h"
#include "cli/predictions.h"
#include "cli/report_page.h"
#include "engine/clear.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "report/activations.h"
#include "report/report.h"

namespace velum::cli {

namespace {

struct Options {
  PlanOptions plan;
  DataOptions data;
  std::string teacher, out, html;
  bool quantised = false;
  CommonOptions common;
};

// Images executed between two steps of the progress line.
constexpr std::size_t kChunk = 512;

// outputs [images][width] of `execute`, which is given some images and their number at a time.
template <typename Execute>
std::vector<double> outputs_of(const data::Dataset& set, const std::string& what, Execute execute) {
  std::vector<double> outputs;
  Progress progress(what, static_cast<double>(set.count()));
  for (std::size_t first = 0; first < set.count(); first += kChunk) {
    const auto count = std::min(kChunk, set.count() - first);
    const auto some =
        execute(std::span(set.images).subspan(first * set.elements(), count * set.elements()), count);
    outputs.insert(outputs.end(), some.begin(), some.end());
    progress.set(static_cast<double>(first + count));
  }
  return outputs;
}

std::vector<double> outputs_of(const data::Dataset& set, const model::Graph& graph, const std::string& what) {
  return outputs_of(set, what, [&](auto some, auto count) { return model::execute(graph, some, count); });
}

report::Metrics measure(const data::Dataset& set, const std::vector<double>& outputs) {
  return report::measure(outputs, outputs.size() / set.count(), set.labels, set.classes);
}

// The network with the weights of the encrypted engine, next to the network itself.
struct Quantised {
  plan::PlanResult planned;
  std::vector<double> outputs;
  report::Deviation deviation;
  double agreement = 0;
};

Quantised quantise(const Options& o, const model::Graph& graph, const data::Dataset& set,
                   const std::vector<double>& clear) {
  Quantised q;
  q.planned = plan::make_plan(graph, to_request(o.plan, o.common.threads));
  const auto& plan = q.planned.plan;
  check_pixels(set, plan.client.input_low, plan.client.input_high);
  q.outputs = outputs_of(set, "evaluating quantised",
                         [&](auto some, auto count) { return engine::run_clear_batch(plan, some, count); });
  const auto width = clear.size() / set.count();
  q.deviation = report::deviation(clear, q.outputs);
  q.agreement =
      report::agreement(report::predicted_classes(clear, width), report::predicted_classes(q.outputs, width));
  return q;
}

Json to_json(const Quantised& q, const report::Metrics& metrics, const report::Metrics& clear) {
  const ckks::Parameters params(q.planned.plan.client.params);
  Json j = report::to_json(metrics);
  j["agreement"] = q.agreement;
  j["precision_bits"] = q.deviation.precision_bits;
  j["max_abs_error"] = q.deviation.max_abs;
  j["difference"] = {{"accuracy", metrics.accuracy - clear.accuracy},
                     {"macro_f1", metrics.macro_f1 - clear.macro_f1},
                     {"auc", metrics.auc && clear.auc ? Json(*metrics.auc - *clear.auc) : Json()}};
  j["params"] = {{"ring_dimension", params.n()},
                 {"log2_qp", params.log2_qp()},
                 {"security_bits", static_cast<int>(params.literal().security)}};
  return j;
}

// The network, the quantised one and the teacher: whatever was asked for, the network first.
struct Result {
  report::Report report;
  Json json;
};

void note_overflow(report::Report& r, const report::Evaluation& e) {
  if (e.metrics.not_finite > 0)
    r.notes.push_back(fmt::format(
        "{}: {} of {} images have an output that is not a finite number; they count as the lowest score",
        e.name, e.metrics.not_finite, e.metrics.images));
}

void add_quantised(const Options& o, const model::Graph& graph, const data::Dataset& set,
                   const std::vector<double>& clear, Result& result, std::vector<double>& predictions) {
  auto q = quantise(o, graph, set, clear);
  auto& r = result.report;
  r.evaluations.push_back({"quantised", measure(set, q.outputs)});
  r.notes.insert(r.notes.end(), q.planned.notes.begin(), q.planned.notes.end());
  add_plan_facts(r, q.planned.plan);
  r.facts.push_back({"agreement with the quantised network", fmt::format("{:.2f} %", 100 * q.agreement)});
  r.facts.push_back({"precision of its outputs", fmt::format("{:.1f} bits", q.deviation.precision_bits)});
  result.json["quantised"] = to_json(q, r.evaluations.back().metrics, r.evaluations[0].metrics);
  predictions = std::move(q.outputs);
}

void add_teacher(const Options& o, Result& result) {
  const auto teacher = model::load_onnx(o.teacher);
  const auto set = load_data(o.data, teacher);
  auto& r = result.report;
  r.evaluations.push_back({"teacher", measure(set, outputs_of(set, teacher, "evaluating the teacher"))});
  r.facts.push_back({"teacher", o.teacher});
  result.json["teacher"] = report::to_json(r.evaluations.back().metrics);
  result.json["teacher"]["model"] = o.teacher;
  if (!o.html.empty()) report::add_teacher_ranges(r.activations, observed_activations(teacher, set));
}

Result evaluate(const Options& o, const model::Graph& graph, const data::Dataset& set) {
  Result result;
  auto& r = result.report;
  r = begin_report("Evaluation", o.plan.model, graph, set, o.data);
  const Stopwatch watch;
  const auto clear = outputs_of(set, graph, "evaluating in the clear");
  r.evaluations.push_back({"network", measure(set, clear)});
  result.json = report::to_json(r.evaluations[0].metrics);
  if (!o.html.empty()) r.activations = observed_activations(graph, set);
  auto predictions = clear;
  if (o.quantised) add_quantised(o, graph, set, clear, result, predictions);
  if (!o.teacher.empty()) add_teacher(o, result);
  for (const auto& e : r.evaluations) note_overflow(r, e);
  result.json["model"] = o.plan.model;
  result.json["data"] = set.name;
  result.json["split"] = o.data.split;
  result.json["seconds"] = watch.seconds();
  if (!o.out.empty())
    write_file_atomically(o.out, predictions_csv(predictions, predictions.size() / set.count(), set.labels));
  return result;
}

void print_result(const Result& result) {
  const auto& r = result.report;
  for (const auto& note : r.notes) fmt::print("note: {}\n", note);
  fmt::print("{}\n", summary_text(r.evaluations));
  if (const auto q = result.json.find("quantised"); q != result.json.end())
    fmt::print(
        "the quantised network predicts the same class for {:.2f} % of the images; its outputs are precise "
        "to {:.1f} "
        "bits\n\n",
        100 * q->at("agreement").get<double>(), q->at("precision_bits").get<double>());
  for (const auto& e : r.evaluations) {
    if (r.evaluations.size() > 1) fmt::print("{}:\n", e.name);
    fmt::print("{}\n", classes_text(e.metrics));
  }
}

void run(const Options& o) {
  use_threads(o.common);
  for (const auto* path : {&o.out, &o.html})
    if (!path->empty()) require_writable(*path);
  const auto graph = load_model(o.plan);
  const auto set = load_data(o.data, graph);
  if (set.labels.empty())
    fail_user("{}: no labels to compare with; eval needs a labelled data set", o.data.data);
  auto result = evaluate(o, graph, set);
  print_result(result);
  write_json(o.common, result.json);
  if (!o.html.empty()) {
    for (auto& e : result.report.evaluations) e.metrics = report::thinned(std::move(e.metrics));
    write_file_atomically(o.html, report::to_html(result.report));
  }
}

}  // namespace

Command make_eval_command(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "eval", "Evaluate a network in the clear: accuracy, F1, AUC, confusion matrix; ReLU networks too");
  auto o = std::make_shared<Options>();
  add_plan_options(*sub, o->plan);
  add_data_options(*sub, o->data, true);
  auto* quantised = sub->add_flag(
      "--quantised", o->quantised,
      "Also with the weights that the encrypted engine will use: a plan is made, and computed in doubles");
  for (const auto* name :
       {"--batch", "--security", "--precision", "--memory", "--ring", "--calibrate", "--margin"})
    sub->get_option(name)->needs(quantised)->group("Plan (with --quantised)");
  sub->add_option("--teacher", o->teacher, "Another network to compare with on the same images, an ONNX file")
      ->type_name("MODEL");
  sub->add_option("--out", o->out,
                  "Write the predictions (with --quantised: that network's) to this CSV file")
      ->type_name("FILE");
  sub->add_option("--html", o->html,
                  "Write a page with confusion matrices, ROC curves, F1 by class and the activations' shapes")
      ->type_name("FILE");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
