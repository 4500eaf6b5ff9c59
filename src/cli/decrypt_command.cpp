// velum decrypt: the server's answer to predictions.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/metrics_text.h"
#include "cli/predictions.h"
#include "system/file.h"
#include "system/program.h"
#include "system/progress.h"
#include "velum/client.h"

namespace velum::cli {

namespace {

struct Options {
  std::string plan, key, in, out, sent, names;
  DataOptions data;
  ImageOptions images;
  std::optional<double> threshold;
  CommonOptions common;
};

void run(const Options& o) {
  forbid_core_dumps();
  auto inputs = data_paths("--data", o.data.data);
  inputs.insert(inputs.end(), {{"--plan", o.plan},
                               {"--key", o.key},
                               {"--in", o.in},
                               {"--sent", o.sent},
                               {"--names", o.names},
                               {"--classes", o.images.classes}});
  begin_command(o.common, {{"--out", o.out}}, inputs);
  const auto plan = ClientPlan::load(o.plan);
  const auto client = Client::load(plan, o.key, {threads()});
  client.check_results(o.in, o.sent);
  const auto batch = plan.inspect_file(o.in);
  const auto images = batch.images;
  auto taken = taken_by(plan, o.images);
  set_threshold(taken.form, taken.outputs, o.threshold);
  std::vector<std::string> paths;
  if (!o.names.empty()) paths = read_names_csv(o.names, images);

  data::Dataset set;
  if (!o.data.data.empty()) {
    set = load_data(o.data, taken, Labels::scored);
    print_notes(set.notes);
    if (set.count() != images)
      fail_user("{}: {} images, {} holds results for {}; give the --split and --images that were encrypted",
                o.data.data, set.count(), o.in, images);
    if (set.labels.empty()) fail_user("{}: no labels to compare with; leave --data out", o.data.data);
    check_labels(set, taken);
  }

  const Stopwatch watch;
  Outputs results;
  {
    Progress progress("decrypting", 1);
    results = client.decrypt_file(o.in, o.sent, {[&](double d) { progress.set(d); }});
  }
  const auto& outputs = results.values;
  const double seconds = watch.seconds();
  write_file_atomically(o.out, predictions_csv({taken, outputs, outputs, set.labels, paths}), kOwnerOnly);
  fmt::print("{}: predictions for {} images of batch {}, in {}\n", o.out, images, short_id(batch.id),
             format_duration(seconds));
  Json json = {{"batch", batch.id}, {"images", images}, {"seconds", seconds}};
  if (const auto rule = rule_text(taken); !rule.empty()) fmt::print("{}\n", rule);
  const auto unscored = unscored_text(taken);
  if (!unscored.empty()) fmt::print("note: {}\n", unscored);
  if (!set.labels.empty() && unscored.empty()) {
    const auto quality =
        report::measure(outputs, plan.outputs(), set.labels, set.classes, cut_of(taken.form));
    if (const auto chance = chance_note(quality); !chance.empty()) fmt::print("note: {}\n", chance);
    fmt::print("{}\n{}", summary_text({{"", quality}}), classes_text(quality));
    json["quality"] = report::to_json(quality);
  }
  write_json(o.common, json, kOwnerOnly);
}

}  // namespace

Command make_decrypt_command(CLI::App& app) {
  auto* sub = app.add_subcommand("decrypt", "Decrypt the server's results to predictions (the data owner)");
  auto o = std::make_shared<Options>();
  sub->add_option("--plan", o->plan, "The client's half of the plan")->required()->type_name("client.plan");
  sub->add_option("--key", o->key, "The secret key")->required()->type_name("secret.key");
  sub->add_option("--in", o->in, "The encrypted results")->required()->type_name("FILE");
  sub->add_option("--out", o->out,
                  "CSV: index, predicted class, true class if known, class name, probability, every output")
      ->required()
      ->type_name("FILE");
  sub->add_option("--sent", o->sent,
                  "The encrypted batch that was sent, or its first 124 bytes: refuse results of another one; "
                  "default: any of this key's are taken")
      ->type_name("FILE");
  sub->add_option("--names", o->names,
                  "The names that velum encrypt wrote beside its batch: a column more; default: none")
      ->type_name("FILE");
  add_data_options(*sub, o->data, false);
  add_image_options(*sub, o->images);
  add_threshold_option(*sub, o->threshold);
  add_common_options(*sub, o->common);
  sub->footer(
      "With --data (and the --split and --images that were encrypted) true classes are added and compared.\n"
      "Do not send decrypted values back to the server: with them it could find the key (SECURITY.md).");
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
