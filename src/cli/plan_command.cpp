// velum plan: parameters, scales and schedule for a network, decided and explained.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/plan_options.h"

namespace velum::cli {

namespace {

struct Options {
  PlanOptions plan;
  std::string out;
  bool explain = false;
  CommonOptions common;
};

void run(const Options& o) {
  use_threads(o.common);
  const auto graph = load_model(o.plan);
  const auto result = plan::make_plan(graph, to_request(o.plan, o.common.threads));
  for (const auto& note : result.notes) fmt::print("note: {}\n", note);
  fmt::print("{}", plan::to_text(result.plan));
  if (o.explain) fmt::print("\n{}", plan::explain_text(result));
  if (!o.out.empty()) {
    make_folder(o.out);
    const auto client = path_in(o.out, "client.plan"), server = path_in(o.out, "server.plan");
    write_file_atomically(server, plan::write_server_plan(result.plan));
    write_file_atomically(client, plan::write_client_plan(result.plan.client));
    fmt::print("\nwritten: {} (for the data owner), {} (stays on the server)\n", client, server);
  }
  if (!o.common.json.empty()) write_json(o.common, Json::parse(plan::to_json(result)));
}

}  // namespace

Command make_plan_command(CLI::App& app) {
  auto* sub = app.add_subcommand("plan", "Decide parameters, scales and schedule for a network");
  auto o = std::make_shared<Options>();
  add_plan_options(*sub, o->plan);
  sub->add_option("--out", o->out, "Write client.plan and server.plan to this folder")->type_name("DIR");
  sub->add_flag("--explain", o->explain,
                "Say why each choice was made, and what the runner-up would have cost");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
