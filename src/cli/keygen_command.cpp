// velum keygen: the secret key, and the evaluation keys that a plan asks for.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "ckks/client/client.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "engine/batch_file.h"

namespace velum::cli {

namespace {

struct Options {
  std::string plan, out;
  bool force = false;
  CommonOptions common;
};

void run(const Options& o) {
  use_threads(o.common);
  const auto plan = load_client_plan(o.plan);
  const ckks::Parameters params(plan.params);
  make_folder(o.out);
  const auto secret_path = path_in(o.out, "secret.key"), keys_path = path_in(o.out, "eval.keys");
  if (!o.force && std::filesystem::exists(secret_path))
    fail_user(
        "{}: exists; what was encrypted under it can only be read with it; move it away, or pass --force to "
        "overwrite it",
        secret_path);
  const Stopwatch watch;
  const auto secret = ckks::SecretKey::generate(params);
  const auto keys = ckks::generate_keys(params, secret, plan.keys);
  const double seconds = watch.seconds();
  // The public keys first: a failure between the two must not leave a secret key without its counterpart.
  write_file_atomically(keys_path, evaluation_keys_file(keys, params));
  secret.save(secret_path);
  const auto bytes = std::filesystem::file_size(keys_path);
  fmt::print("key {}\n  {}: keep it; mode 0600\n  {}: for the server, {}\n", engine::id_text(secret.id()),
             secret_path, keys_path, format_bytes(static_cast<double>(bytes)));
  write_json(o.common, {{"key", engine::id_text(secret.id())},
                        {"params", params.id_text()},
                        {"seconds", seconds},
                        {"bytes", {{"eval_keys", bytes}}}});
}

}  // namespace

Command make_keygen_command(CLI::App& app) {
  auto* sub = app.add_subcommand("keygen", "Make a secret key and the evaluation keys of a plan");
  auto o = std::make_shared<Options>();
  sub->add_option("--plan", o->plan, "The client's half of the plan")->required()->type_name("client.plan");
  sub->add_option("--out", o->out, "Folder for secret.key and eval.keys")->required()->type_name("DIR");
  sub->add_flag("--force", o->force, "Overwrite an existing secret key");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
