// velum eval: a network in doubles on labelled images, as it is and with the weights of the encrypted engine.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/metrics_text.h"
#include "cli/plan_options.h"
#include "cli/predictions.h"
#include "cli/report_page.h"
#include "report/activations.h"
#include "report/report.h"
#include "system/file.h"
#include "system/progress.h"

namespace velum::cli {

namespace {

struct Options {
  PlanOptions plan;
  DataOptions data;
  std::string teacher, out, html;
  bool quantised = false;
  CommonOptions common;
};

// outputs [images][width] of a network, or of a plan in doubles.
template <typename Network>
std::vector<double> outputs_of(const data::Dataset& set, const Network& network, const std::string& what) {
  Progress progress(what, 1);
  return network.evaluate(Images::floats(set.images), threads(),
                          {[&](double share) { progress.set(share); }});
}

report::Metrics measure(const Taken& taken, const data::Dataset& set, const std::vector<double>& outputs) {
  return report::measure(outputs, outputs.size() / set.count(), set.labels, set.classes, cut_of(taken.form));
}

// The network with the weights of the encrypted engine, next to the network itself.
struct Quantised {
  Plan plan;
  std::vector<double> outputs;
  report::Deviation deviation;
  double agreement = 0;
};

Quantised quantise(const Options& o, const LoadedModel& loaded, const data::Dataset& set,
                   const std::vector<double>& clear) {
  Quantised q{loaded.model.plan(to_request(o.plan, o.common.threads)), {}, {}, 0};
  check_pixels(set, q.plan.client().input_range());
  q.outputs = outputs_of(set, q.plan, "evaluating quantised");
  const auto width = clear.size() / set.count();
  q.deviation = report::deviation(clear, q.outputs);
  const double cut = cut_of(loaded.taken.form);
  q.agreement = report::agreement(report::predicted_classes(clear, width, cut),
                                  report::predicted_classes(q.outputs, width, cut));
  return q;
}

Json to_json(const Quantised& q) {
  const auto params = q.plan.client().parameters();
  Json j;
  j["agreement"] = q.agreement;
  j["precision_bits"] = q.deviation.precision_bits;
  j["max_abs_error"] = q.deviation.max_abs;
  j["params"] = {{"ring_dimension", params.ring_dimension},
                 {"log2_qp", params.log2_qp},
                 {"security_bits", params.security_bits}};
  return j;
}

Json difference(const report::Metrics& metrics, const report::Metrics& clear) {
  return {{"accuracy", metrics.accuracy - clear.accuracy},
          {"macro_f1", metrics.macro_f1 - clear.macro_f1},
          {"auc", metrics.auc && clear.auc ? Json(*metrics.auc - *clear.auc) : Json()}};
}

// The network, the quantised one and the teacher: whatever was asked for, the network first; no evaluations
// where there is nothing to score.
struct Result {  // NOLINT(bugprone-exception-escape): of a Json, whose move does not throw
  report::Report report;
  Json json;
  std::vector<double> predictions;  // outputs, as they are encrypted
};

void note_overflow(report::Report& r, const report::Evaluation& e) {
  if (e.metrics.not_finite > 0)
    r.notes.push_back(fmt::format(
        "{}: {} of {} images have an output that is not a finite number; they count as the lowest score",
        e.name, e.metrics.not_finite, e.metrics.images));
}

void add_quantised(const Options& o, const LoadedModel& loaded, const data::Dataset& set, bool scored,
                   Result& result) {
  auto q = quantise(o, loaded, set, result.predictions);
  auto& r = result.report;
  auto& json = result.json["quantised"];
  json = to_json(q);
  if (scored) {
    r.evaluations.push_back({"quantised", measure(loaded.taken, set, q.outputs)});
    json.update(report::to_json(r.evaluations.back().metrics));
    json["difference"] = difference(r.evaluations.back().metrics, r.evaluations[0].metrics);
  }
  const auto notes = q.plan.notes();
  r.notes.insert(r.notes.end(), notes.begin(), notes.end());
  add_plan_facts(r, q.plan.client());
  r.facts.push_back({"agreement with the quantised network", fmt::format("{:.2f} %", 100 * q.agreement)});
  r.facts.push_back({"precision of its outputs", fmt::format("{:.1f} bits", q.deviation.precision_bits)});
  result.predictions = std::move(q.outputs);
}

void add_teacher(const Options& o, Result& result) {
  auto load = to_model_options(o.plan.network);
  load.unless_recorded = true;
  load.output.clear();  // a name of the other file
  const auto teacher = Model::load(o.teacher, load);
  LoadedModel loaded{teacher, teacher.inspect(), {}};
  loaded.taken = taken_by(loaded.info, o.plan.images);
  const auto set = load_data(o.data, loaded.taken, o.out.empty() ? Labels::scored : Labels::if_known);
  check_labels(set, loaded.taken);
  const auto outputs = outputs_of(set, loaded.model, "evaluating the teacher");
  settle_outputs(loaded, o.plan, outputs);
  auto& r = result.report;
  r.evaluations.push_back({"teacher", measure(loaded.taken, set, outputs)});
  r.facts.push_back({"teacher", o.teacher});
  result.json["teacher"] = report::to_json(r.evaluations.back().metrics);
  result.json["teacher"]["model"] = o.teacher;
  if (!o.html.empty()) report::add_teacher_ranges(r.activations, observed_activations(loaded.model, set));
}

Result evaluate(const Options& o, LoadedModel& loaded, const data::Dataset& set) {
  Result result;
  auto& r = result.report;
  r = begin_report(begin_page("Evaluation", o.plan.model, loaded.info, set, o.data));
  const Stopwatch watch;
  result.predictions = outputs_of(set, loaded.model, "evaluating in the clear");
  settle_outputs(loaded, o.plan, result.predictions);
  const auto unscored = unscored_text(loaded.taken);
  const bool scored = unscored.empty() && !set.labels.empty();
  if (scored) {
    check_labels(set, loaded.taken);
    r.evaluations.push_back({"network", measure(loaded.taken, set, result.predictions)});
    result.json = report::to_json(r.evaluations[0].metrics);
  } else if (!unscored.empty()) {
    r.notes.push_back(unscored);
  }
  result.json["images"] = set.count();
  if (!o.html.empty()) r.activations = observed_activations(loaded.model, set);
  if (o.quantised) add_quantised(o, loaded, set, scored, result);
  if (!o.teacher.empty() && scored) add_teacher(o, result);
  for (const auto& e : r.evaluations) note_overflow(r, e);
  if (scored)
    if (const auto chance = chance_note(r.evaluations[0].metrics); !chance.empty()) r.notes.push_back(chance);
  if (const auto rule = rule_text(loaded.taken); !rule.empty()) {
    result.json["threshold"] = loaded.taken.form.threshold;
    r.facts.push_back({"decision", rule});
  }
  result.json["model"] = o.plan.model;
  result.json["data"] = set.name;
  result.json["split"] = o.data.split;
  result.json["seconds"] = watch.seconds();
  if (!o.out.empty()) {
    const auto written = loaded.model.file_outputs(result.predictions);
    write_file_atomically(o.out,
                          predictions_csv({loaded.taken, result.predictions, written, set.labels, set.files}),
                          kOwnerOnly);
  }
  return result;
}

void print_result(const Options& o, const LoadedModel& loaded, const Result& result) {
  const auto& r = result.report;
  for (const auto& note : r.notes) fmt::print("note: {}\n", note);
  if (const auto rule = rule_text(loaded.taken); !rule.empty()) fmt::print("{}\n", rule);
  if (r.evaluations.empty())
    fmt::print("{} images evaluated{}\n", result.json["images"].get<std::size_t>(),
               o.out.empty() ? "" : ", outputs in " + o.out);
  else
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

// A map whose elements, not whose channels, the labels number is scored by element.
void score_map(LoadedModel& loaded, const data::Dataset& set) {
  auto& kind = loaded.taken.form.outputs;
  const auto channels = loaded.info.output_shape.at(0);
  const bool beyond = std::ranges::any_of(set.labels, [&](auto label) { return label >= channels; });
  if (kind == OutputKind::map && beyond) kind = OutputKind::scores;
}

void run(const Options& o) {
  auto inputs = inputs_of(o.plan, o.data);
  inputs.push_back({"--teacher", o.teacher});
  begin_command(o.common, {{"--out", o.out}, {"--html", o.html}}, inputs);
  auto loaded = load_model(o.plan);
  if (o.quantised) loaded.model.require_encryptable();
  const auto set = load_data(o.data, loaded.taken, o.out.empty() ? Labels::scored : Labels::if_known);
  if (set.labels.empty() && set.classes.empty() && o.out.empty() && !o.quantised)
    fail_user("{}: no labels to compare with; --out FILE writes the outputs of images without labels",
              o.data.data);
  score_map(loaded, set);
  auto result = evaluate(o, loaded, set);
  print_result(o, loaded, result);
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
  sub->add_option("--teacher", o->teacher,
                  "Another network to compare with on the same images, an ONNX file; default: none")
      ->type_name("MODEL");
  sub->add_option(
         "--out", o->out,
         "Write predictions and the file's own outputs (with --quantised: that network's) to this CSV file; "
         "images need no labels for it; default: to none")
      ->type_name("FILE");
  sub->add_option(
         "--html", o->html,
         "Write a page with confusion matrices, ROC curves, F1 by class and the activations' shapes; "
         "default: to none")
      ->type_name("FILE");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
