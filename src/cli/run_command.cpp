// velum run: everything in one process, compared with the clear network.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/plan_options.h"
#include "cli/predictions.h"
#include "cli/report_page.h"
#include "system/file.h"
#include "system/program.h"
#include "system/progress.h"
#include "system/terminal.h"
#include "velum/velum.h"

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
  bool probe = false, verbose = false;
  CommonOptions common;
};

void run(const Options& o) {
  forbid_core_dumps();
  begin_command(o.common, {{"--out", o.out}, {"--html", o.html}}, inputs_of(o.plan, o.data));
  auto loaded = load_model(o.plan);
  loaded.model.require_encryptable();
  auto& taken = loaded.taken;
  const auto set = load_data(o.data, taken, o.out.empty() ? Labels::scored : Labels::if_known);
  check_labels(set, taken);
  print_notes(loaded.info.notes);
  print_notes(set.notes);
  auto request = to_request(o.plan, o.common.threads, set.count());
  settle_outputs(loaded, o.plan);
  request.form = taken.form;
  const Stopwatch plan_watch;
  std::optional<Plan> plan;
  {
    Progress progress("planning", 1);
    plan = loaded.model.plan(request, {[&](double share) { progress.set(share); }});
  }
  const double plan_seconds = plan_watch.seconds();
  print_notes(plan->notes());
  const auto client = plan->client();
  check_pixels(set, client.input_range());
  const auto images = Images::floats(set.images);
  if (const auto line = client.unlike_note(client.unlike(images), set.count()); !line.empty())
    say_on_stderr("velum run: " + line);
  std::fflush(stdout);

  const bool scored = !set.labels.empty() && unscored_text(taken).empty();
  RunOptions options;
  if (scored) options.labels = set.labels;
  options.threads = threads();
  options.probe = o.probe;
  options.threshold = o.plan.threshold;
  options.classes = set.classes;
  options.activations = !o.html.empty();
  Monitor monitor;
  monitor.stage = StageBar();
  const auto report = velum::run(loaded.model, *plan, images, options, monitor);
  monitor.stage = {};  // clears the line
  taken.form = report.form;
  fmt::print("{}", report.to_text(plan_seconds));
  if (const auto rule = rule_text(taken); !rule.empty()) fmt::print("{}\n", rule);
  if (const auto unscored = unscored_text(taken); !unscored.empty()) fmt::print("note: {}\n", unscored);
  if (o.verbose) fmt::print("\n{}", plan->details());
  if (o.verbose || o.probe) fmt::print("\n{}", report.evaluation.to_text());
  std::fflush(stdout);
  if (!report.problem.empty()) fail_user("{}", report.problem);
  if (!o.out.empty())
    write_file_atomically(
        o.out, predictions_csv({taken, report.outputs, report.outputs, set.labels, set.files}), kOwnerOnly);
  if (!o.html.empty())
    write_file_atomically(o.html,
                          report.to_html(begin_page("Encrypted run", o.plan.model, loaded.info, set, o.data)),
                          kOwnerOnly);
  Json json = {{"model", o.plan.model}, {"data", set.name}, {"split", o.data.split}};
  json.update(Json::parse(report.to_json(plan_seconds)));
  write_json(o.common, json, kOwnerOnly);
}

}  // namespace

Command make_run_command(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "run", "Plan, encrypt, evaluate and decrypt in one process, compared with the clear network");
  auto o = std::make_shared<Options>();
  add_plan_options(*sub, o->plan);
  add_data_options(*sub, o->data, true);
  sub->add_option(
         "--out", o->out,
         "Write the predictions, a probability and the encrypted outputs to this CSV file; default: to none")
      ->type_name("FILE");
  sub->add_option("--html", o->html,
                  "Write a page: what counts first, encrypted and clear as one matrix, the time of every "
                  "step as predicted "
                  "and measured, with --probe its precision; default: to none")
      ->type_name("FILE");
  sub->add_flag("--verbose", o->verbose,
                "Print the plan's parameters, and tables of its steps as planned and as run");
  sub->add_flag(
      "--probe", o->probe,
      "Decrypt every layer of the first batch and report its precision against the clear network, and "
      "what of it is noise alone");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
