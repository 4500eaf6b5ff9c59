// velum decrypt: the server's answer to predictions.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/client_batch.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/files.h"
#include "cli/metrics_text.h"
#include "cli/predictions.h"

namespace velum::cli {

namespace {

struct Options {
  std::string plan, key, in, out;
  DataOptions data;
  CommonOptions common;
};

void run(const Options& o) {
  use_threads(o.common);
  require_writable(o.out);
  const auto plan = load_client_plan(o.plan);
  const ckks::Parameters params(plan.params);
  const auto secret = ckks::SecretKey::load(o.key, params);
  const engine::BatchReader reader(o.in, FileType::output_batch, plan, params);
  reader.require_key(secret.id(), o.key);
  const std::size_t images = reader.header().images;

  data::Dataset set;
  if (!o.data.data.empty()) {
    set = load_data(o.data, plan.input_shape);
    if (set.count() != images)
      fail_user("{}: {} images, {} holds results for {}; give the --split and --images that were encrypted",
                o.data.data, set.count(), o.in, images);
    if (set.labels.empty()) fail_user("{}: no labels to compare with; leave --data out", o.data.data);
  }

  const Stopwatch watch;
  std::vector<double> outputs;
  {
    Progress progress("decrypting", 1);
    outputs = decrypt_file(reader, plan, ckks::Decryptor(params, secret), [&](double d) { progress.set(d); });
  }
  const double seconds = watch.seconds();
  write_file_atomically(o.out, predictions_csv(outputs, plan.outputs, set.labels));
  fmt::print("{}: predictions for {} images, in {}\n", o.out, images, format_duration(seconds));
  Json json = {{"images", images}, {"seconds", seconds}};
  if (!set.labels.empty()) {
    const auto quality = report::measure(outputs, plan.outputs, set.labels, set.classes);
    fmt::print("{}\n{}", summary_text({{"", quality}}), classes_text(quality));
    json["quality"] = report::to_json(quality);
  }
  write_json(o.common, json);
}

}  // namespace

Command make_decrypt_command(CLI::App& app) {
  auto* sub = app.add_subcommand("decrypt", "Decrypt the server's results to predictions (the data owner)");
  auto o = std::make_shared<Options>();
  sub->add_option("--plan", o->plan, "The client's half of the plan")->required()->type_name("client.plan");
  sub->add_option("--key", o->key, "The secret key")->required()->type_name("secret.key");
  sub->add_option("--in", o->in, "The encrypted results")->required()->type_name("FILE");
  sub->add_option("--out", o->out, "CSV: index, predicted class, true class if known, every output")
      ->required()
      ->type_name("FILE");
  add_data_options(*sub, o->data, false);
  add_common_options(*sub, o->common);
  sub->footer(
      "With --data (and the --split and --images that were encrypted) true classes are added and compared.\n"
      "Do not send decrypted values back to the server: with them it could find the key (SECURITY.md).");
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
