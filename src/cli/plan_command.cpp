// velum plan: parameters, scales and schedule for a network, decided and explained.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/plan_options.h"
#include "system/file.h"
#include "system/file_set.h"
#include "system/framed_file.h"
#include "system/progress.h"

namespace velum::cli {

namespace {

const std::string kClient = "client.plan", kServer = "server.plan";

struct Options {
  PlanOptions plan;
  std::string out;
  bool explain = false, verbose = false, no_statistics = false;
  CommonOptions common;
};

// What the network's file says of itself: whoever wrote it, Velum's trainer for one, measured it.
std::string accuracy_text(const ModelInfo& info) {
  const auto found = info.metadata.find("accuracy.test");
  if (found == info.metadata.end()) return {};
  const double share = std::strtod(found->second.c_str(), nullptr);
  if (!(share > 0 && share <= 1)) return {};
  return fmt::format("accuracy    {:.2f} % in the clear, says the network's file\n", 100 * share);
}

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
  loaded.model.require_encryptable();
  settle_outputs(loaded, o.plan);
  const auto& form = loaded.taken.form;
  auto request = to_request(o.plan, o.common.threads);
  request.frontier = o.explain;
  request.form = form;
  request.statistics = !o.no_statistics;
  std::optional<Plan> plan;
  {
    Progress progress("planning", 1);
    plan = loaded.model.plan(request, {[&](double share) { progress.set(share); }});
  }
  print_notes(plan->notes());
  fmt::print("{}{}", accuracy_text(loaded.info), plan->to_text());
  fmt::print("pixels      {}\n", loaded.info.pixels.text);
  if (const auto rule = rule_text(loaded.taken); !rule.empty()) fmt::print("{}\n", rule);
  if (o.verbose) fmt::print("\n{}", plan->details());
  if (o.explain) fmt::print("\n{}", plan->explanation());
  if (files) {
    plan->server().save(files->staged(kServer));
    plan->client().save(files->staged(kClient));
    files->commit();
    fmt::print("\nwritten: {} (for the data owner), {} (stays on the server)\n", client, server);
  }
  if (o.common.json.empty()) return;
  auto json = Json::parse(plan->to_json());
  json["pixels"] = {{"low", form.low}, {"high", form.high}};
  json["threshold"] = form.threshold;
  write_json(o.common, json);
}

}  // namespace

Command make_plan_command(CLI::App& app) {
  auto* sub = app.add_subcommand("plan", "Decide parameters, scales and schedule for a network");
  auto o = std::make_shared<Options>();
  add_plan_options(*sub, o->plan);
  sub->add_option("--out", o->out, "Write client.plan and server.plan to this folder; default: to none")
      ->type_name("DIR");
  sub->add_flag("--verbose", o->verbose,
                "Print the parameters, and a table of the steps with what each costs");
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
