// velum eval: a network in doubles on labelled images, as it is and with the weights of the encrypted engine.
#include <CLI/CLI.hpp>
#include <filesystem>
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
#include "engine/clear.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "report/report.h"

namespace velum::cli {

namespace {

struct Options {
  PlanOptions plan;
  DataOptions data;
  std::string teacher, out;
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
  std::vector<report::Evaluation> evaluations;
  std::vector<std::string> notes;
  Json json;
};

void note_overflow(Result& result, const report::Evaluation& e) {
  if (e.metrics.not_finite > 0)
    result.notes.push_back(
        fmt::format("{}: {} of {} images have an output that is not a finite number; they count "
                    "as the lowest score",
                    e.name, e.metrics.not_finite, e.metrics.images));
}

void add_notes(std::vector<std::string>& notes, const std::vector<std::string>& more) {
  notes.insert(notes.end(), more.begin(), more.end());
}

Result evaluate(const Options& o, const model::Graph& graph, const data::Dataset& set) {
  Result r;
  add_notes(r.notes, graph.notes);
  add_notes(r.notes, set.notes);
  const Stopwatch watch;
  const auto clear = outputs_of(set, graph, "evaluating in the clear");
  r.evaluations.push_back({"network", measure(set, clear)});
  r.json = report::to_json(r.evaluations[0].metrics);
  auto predictions = clear;
  if (o.quantised) {
    auto q = quantise(o, graph, set, clear);
    add_notes(r.notes, q.planned.notes);
    r.evaluations.push_back({"quantised", measure(set, q.outputs)});
    r.json["quantised"] = to_json(q, r.evaluations.back().metrics, r.evaluations[0].metrics);
    predictions = std::move(q.outputs);
  }
  if (!o.teacher.empty()) {
    const auto teacher = model::load_onnx(o.teacher);
    const auto teacher_set = load_data(o.data, teacher.input_shape);
    r.evaluations.push_back(
        {"teacher", measure(teacher_set, outputs_of(teacher_set, teacher, "evaluating the teacher"))});
    r.json["teacher"] = report::to_json(r.evaluations.back().metrics);
    r.json["teacher"]["model"] = o.teacher;
  }
  for (const auto& e : r.evaluations) note_overflow(r, e);
  r.json["model"] = o.plan.model;
  r.json["data"] = set.name;
  r.json["split"] = o.data.split;
  r.json["seconds"] = watch.seconds();
  if (!o.out.empty())
    write_file_atomically(o.out, predictions_csv(predictions, predictions.size() / set.count(), set.labels));
  return r;
}

void run(const Options& o) {
  use_threads(o.common);
  if (!o.out.empty()) require_writable(o.out);
  const auto graph = load_model(o.plan);
  const auto set = load_data(o.data, graph.input_shape);
  if (set.labels.empty())
    fail_user("{}: no labels to compare with; eval needs a labelled data set", o.data.data);
  const auto result = evaluate(o, graph, set);
  for (const auto& note : result.notes) fmt::print("note: {}\n", note);
  fmt::print("{}\n", summary_text(result.evaluations));
  if (o.quantised) {
    const auto& q = result.json.at("quantised");
    fmt::print(
        "the quantised network predicts the same class for {:.2f} % of the images; its outputs are precise "
        "to "
        "{:.1f} bits\n\n",
        100 * q.at("agreement").get<double>(), q.at("precision_bits").get<double>());
  }
  for (const auto& e : result.evaluations) {
    if (result.evaluations.size() > 1) fmt::print("{}:\n", e.name);
    fmt::print("{}\n", classes_text(e.metrics));
  }
  write_json(o.common, result.json);
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
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
