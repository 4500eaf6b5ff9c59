// velum keygen: the secret key, and the evaluation keys that a plan asks for.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/units.h"
#include "cli/commands.h"
#include "system/file.h"
#include "system/framed_file.h"
#include "system/program.h"
#include "system/progress.h"
#include "velum/client.h"

namespace velum::cli {

namespace {

struct KeyName {
  const char* name;
  FileType type;
};
constexpr std::array kNames = {KeyName{"secret/secret.key", FileType::secret_key},
                               KeyName{"public/eval.keys", FileType::evaluation_keys},
                               KeyName{"public/public.key", FileType::public_key}};

struct Options {
  std::string plan, out;
  bool force = false, public_key = false;
  CommonOptions common;
};

void run(const Options& o) {
  forbid_core_dumps();
  NamedPaths inputs = {{"--plan", o.plan}};
  for (const auto& [name, type] : kNames) {
    const auto path = path_in(o.out, name);
    inputs.push_back({"--out", path});
    require_same_kind("--out", path, std::array{type});
    if (same_file(path, o.plan)) fail_user("{}: is the plan; choose another folder for the keys", path);
  }
  begin_command(o.common, {}, inputs);
  const auto plan = ClientPlan::load(o.plan);
  const auto client = Client::create(plan, {threads()});
  KeyFiles made;
  {
    Progress progress("making keys", 1);
    made = client.save_keys(o.out, {o.force, o.public_key}, {[&](double share) { progress.set(share); }});
  }
  fmt::print("key {}\n  {}: keep it; mode 0600\n  {}: for the server, {}\n", client.key_id(), made.secret,
             made.evaluation, format_bytes(static_cast<double>(made.evaluation_bytes)));
  if (o.public_key)
    fmt::print("  {}: for whoever encrypts for you, {}\n", made.public_key,
               format_bytes(static_cast<double>(made.public_bytes)));
  Json bytes = {{"eval_keys", made.evaluation_bytes}};
  if (o.public_key) bytes["public_key"] = made.public_bytes;
  write_json(o.common, {{"key", client.key_id()},
                        {"params", plan.parameters().id},
                        {"seconds", made.seconds},
                        {"bytes", bytes}});
}

}  // namespace

Command make_keygen_command(CLI::App& app) {
  auto* sub = app.add_subcommand("keygen", "Make a secret key and the evaluation keys of a plan");
  auto o = std::make_shared<Options>();
  sub->add_option("--plan", o->plan, "The client's half of the plan")->required()->type_name("client.plan");
  sub->add_option("--out", o->out, "Folder for the keys: secret/secret.key stays, what travels is in public/")
      ->required()
      ->type_name("DIR");
  sub->add_flag("--public-key", o->public_key,
                "Write public/public.key too: whoever has it encrypts for you, and can decrypt nothing (the "
                "plan must have been made with --public-key)");
  sub->add_flag("--force", o->force, "Replace keys that are there");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
