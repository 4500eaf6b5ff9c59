// velum inspect: what a file is and says, without any key.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/network_options.h"
#include "cli/output_rule.h"
#include "system/program.h"
#include "velum/velum.h"

namespace velum::cli {

namespace {

struct Options {
  std::string file;
  NetworkOptions network;
  CommonOptions common;
};

void say(const std::string& name, const std::string& value) {
  fmt::print("{:<22} {}\n", printable(name), printable(value));
}

void run(const Options& o) {
  forbid_core_dumps();  // it may be a secret key
  begin_command(o.common, {}, {{"FILE", o.file}});
  const auto d = describe_file(o.file, to_model_options(o.network));
  say("type", d.type);
  for (const auto& [name, value] : d.facts) {
    say(name, value);
    if (name != "input" || !d.form) continue;
    // What data the commands can feed it with.
    say("takes", feeds_text(d.input_shape, *d.form));
    if (const auto rule = rule_text({d.input_shape, *d.form, d.outputs}); !rule.empty())
      say("decision", rule);
  }
  if (!d.table.empty()) fmt::print("\n{}", d.table);
  write_json(o.common, Json::parse(d.json));
}

}  // namespace

Command make_inspect_command(CLI::App& app) {
  auto* sub = app.add_subcommand("inspect", "Describe any file of Velum, or an ONNX network");
  auto o = std::make_shared<Options>();
  sub->add_option("file", o->file, "A plan, a key, an encrypted batch or a network")
      ->required()
      ->type_name("FILE");
  add_network_options(*sub, o->network);
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
