// velum-infer: the server's program. It holds the plan and public keys, and links nothing that knows a secret
// key.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "base/units.h"
#include "cli/common.h"
#include "cli/help_examples.h"
#include "system/program.h"
#include "system/progress.h"
#include "velum/server.h"

namespace velum::cli {

namespace {

struct Options {
  std::string plan, keys, in, out;
  std::uint64_t memory = 0;
  bool verbose = false;
  CommonOptions common;
};

void run(const Options& o) {
  begin_command(o.common, {{"--out", o.out, {FileType::output_batch}}},
                {{"--plan", o.plan}, {"--keys", o.keys}, {"--in", o.in}});
  const auto plan = ServerPlan::load(o.plan);
  // Before the keys, which may be large.
  plan.require_memory(threads(), o.memory);
  plan.client().inspect_file(o.in);
  Server server(plan, EvaluationKeys::load(plan, o.keys), {threads(), o.memory});
  EvaluationReport report;
  {
    Progress progress("evaluating", 1);
    report = server.evaluate_file(o.in, o.out, {[&](double share) { progress.set(share); }});
  }
  fmt::print("{:<12} {} of batch {}, in {}\n{}", "results",
             format_bytes(static_cast<double>(report.output_bytes)), short_id(report.batch), o.out,
             report.summary());
  if (o.verbose) fmt::print("\n{}", report.to_text());
  write_json(o.common, Json::parse(report.to_json()));
}

}  // namespace

}  // namespace velum::cli

int main(int argc, char** argv) {
  using namespace velum::cli;
  return velum::run_program("velum infer", [&] {
    CLI::App app("Evaluate a network on an encrypted batch: the server's side, without any secret key.",
                 "velum infer");
    Options o;
    app.add_option("--plan", o.plan, "The server's half of the plan")->required()->type_name("server.plan");
    app.add_option("--keys", o.keys, "The evaluation keys of the data owner")
        ->required()
        ->type_name("eval.keys");
    app.add_option("--in", o.in, "The encrypted batch")->required()->type_name("FILE");
    app.add_option("--out", o.out, "The encrypted results")->required()->type_name("FILE");
    app.add_option("--memory", o.memory,
                   "Refuse to run beyond this, such as 20GB; default: what the machine has")
        ->transform(CLI::AsSizeValue(true))
        ->transform(size_text())
        ->type_name("SIZE");
    app.add_flag("--verbose", o.verbose, "Print a table of the network's steps as run");
    add_common_options(app, o.common);
    app.footer(
        std::string("Exit code: 0 done, 1 failure of the environment, 2 the caller's mistake.\nExample: ") +
        help_example("infer"));
    if (parse(app, argc, argv)) run(o);
  });
}
