// velum encrypt: images to a batch that only the owner of the key can read.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "cli/client_batch.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/files.h"

namespace velum::cli {

namespace {

struct Options {
  std::string plan, key, out;
  DataOptions data;
  CommonOptions common;
};

void run(const Options& o) {
  use_threads(o.common);
  require_writable(o.out);
  const auto plan = load_client_plan(o.plan);
  const ckks::Parameters params(plan.params);
  const auto secret = ckks::SecretKey::load(o.key, params);
  const auto set = load_data(o.data, plan.input_shape);
  check_pixels(set, plan.input_low, plan.input_high);
  const Stopwatch watch;
  std::uint64_t bytes = 0;
  {
    Progress progress("encrypting", 1);
    bytes = encrypt_to_file(o.out, plan, params, secret, set.images, set.elements(),
                            [&](double d) { progress.set(d); });
  }
  const double seconds = watch.seconds(),
               per_image = static_cast<double>(bytes) / static_cast<double>(set.count());
  fmt::print("{}: {} images, {}, {} an image, in {}\n", o.out, set.count(),
             format_bytes(static_cast<double>(bytes)), format_bytes(per_image), format_duration(seconds));
  write_json(o.common, {{"images", set.count()},
                        {"slots", params.slots()},
                        {"batches", engine::batch_count(set.count(), params)},
                        {"seconds", seconds},
                        {"bytes", {{"input", bytes}}}});
}

}  // namespace

Command make_encrypt_command(CLI::App& app) {
  auto* sub = app.add_subcommand("encrypt", "Encrypt images as a batch (the data owner)");
  auto o = std::make_shared<Options>();
  sub->add_option("--plan", o->plan, "The client's half of the plan")->required()->type_name("client.plan");
  sub->add_option("--key", o->key, "The secret key")->required()->type_name("secret.key");
  add_data_options(*sub, o->data, true);
  sub->add_option("--out", o->out, "The encrypted batch")->required()->type_name("FILE");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
