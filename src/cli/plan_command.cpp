// velum plan: parameters, scales and schedule for a network, decided and explained.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/plan_options.h"
#include "system/file.h"
#include "system/file_set.h"
#include "system/framed_file.h"

namespace velum::cli {

namespace {

const std::string kClient = "client.plan", kServer = "server.plan";

struct Options {
  PlanOptions plan;
  std::string out;
  bool explain = false, no_statistics = false;
  CommonOptions common;
};

void run(const Options& o) {
  const auto client = path_in(o.out, kClient), server = path_in(o.out, kServer);
  auto inputs = inputs_of(o.plan, {});
  std::optional<FileSet> files;
  if (!o.out.empty()) {
    require_same_kind("--out", client, std::array{FileType::client_plan});
    require_same_kind("--out", server, std::array{FileType::server_plan});
    for (const auto& path : {client, server}) {
      for (const auto& input : inputs)
        if (!input.path.empty() && same_file(path, input.path))
          fail_user("{}: is the file of {} too; choose another folder for the plan", path, input.option);
      inputs.push_back({"--out", path});
    }
    files.emplace(o.out, std::vector{kClient, kServer});
  }
  begin_command(o.common, {}, inputs);
  auto loaded = load_model(o.plan);
  const auto& graph = loaded.graph;
  require_encryptable(graph, o.plan.model);
  settle_outputs(loaded, o.plan);
  auto request = to_request(o.plan, o.common.threads);
  request.frontier = o.explain;
  request.form = loaded.taken.form;
  request.statistics = !o.no_statistics;
  const auto result = plan::make_plan(graph, request);
  print_notes(result.notes);
  fmt::print("pixels      {}\n", model::pixels_text(graph.pixels));
  if (const auto rule = rule_text(loaded.taken); !rule.empty()) fmt::print("{}\n", rule);
  fmt::print("{}", plan::to_text(result.plan));
  if (o.explain) fmt::print("\n{}", plan::explain_text(result));
  if (files) {
    write_file_atomically(files->staged(kServer), plan::write_server_plan(result.plan));
    write_file_atomically(files->staged(kClient), plan::write_client_plan(result.plan.client));
    files->commit();
    fmt::print("\nwritten: {} (for the data owner), {} (stays on the server)\n", client, server);
  }
  if (o.common.json.empty()) return;
  auto json = Json::parse(plan::to_json(result));
  const auto& form = loaded.taken.form;
  json["pixels"] = {{"low", form.low}, {"high", form.high}};
  json["threshold"] = form.threshold;
  write_json(o.common, json);
}

}  // namespace

Command make_plan_command(CLI::App& app) {
  auto* sub = app.add_subcommand("plan", "Decide parameters, scales and schedule for a network");
  auto o = std::make_shared<Options>();
  add_plan_options(*sub, o->plan);
  sub->add_option("--out", o->out, "Write client.plan and server.plan to this folder")->type_name("DIR");
  sub->add_flag(
      "--explain", o->explain,
      "Say why each choice was made, what the runner-up would have cost, and what every packing that "
      "suits the network would (slow)");
  sub->add_flag(
      "--no-statistics", o->no_statistics,
      "Leave statistics of the images that the ranges were measured on out of client.plan: its owner learns "
      "nothing of them, and is not warned of images unlike them");
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
