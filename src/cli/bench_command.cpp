// velum bench: how fast this machine is, kernel by kernel or on a whole network, and against what.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/error.h"
#include "base/parallel.h"
#include "bench/calibrate.h"
#include "bench/compare.h"
#include "bench/kernels.h"
#include "bench/models.h"
#include "bench/network.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/plan_options.h"
#include "system/file.h"
#include "system/program.h"
#include "system/progress.h"

namespace velum::cli {

using namespace bench;

namespace {

// A subcommand of bench, with its options.
using Parts = std::vector<Command>;

struct KernelsCommand {
  KernelOptions kernels;
  CommonOptions common;
};

void run_kernels(const KernelsCommand& o) {
  begin_command(o.common, {}, {});
  fmt::print("{}, one thread\n", cpu_name());
  Progress progress("timing", 1);
  const auto all =
      time_kernels(o.kernels, [&](const KernelTiming& t) { progress.set(0, t.variant + "/" + t.name); });
  fmt::print("\n{}", kernels_table(all));
  const auto json = kernels_json(all);
  if (json.contains("ratio_to_compiled_per_term"))
    fmt::print(
        "\ndigit product of {} terms: {:.1f} times one modular product a term in plain C++, compiled for "
        "this machine\n",
        kTerms, json["ratio_to_compiled_per_term"].get<double>());
  if (json.contains("ratio_to_kernel_per_term"))
    fmt::print("the same against our own kernel for that: {:.1f} times\n",
               json["ratio_to_kernel_per_term"].get<double>());
  if (json.contains("ratio_avx2_to_ref"))
    fmt::print("digit product of AVX2 against the plain path: {:.1f} times\n",
               json["ratio_avx2_to_ref"].get<double>());
  write_json(o.common, json);
}

void add_kernels(CLI::App& app, Parts& parts) {
  auto* sub = app.add_subcommand(
      "kernels", "Every kernel, in every variant that this processor runs, against its limit");
  auto o = std::make_shared<KernelsCommand>();
  sub->add_option("--variant", o->kernels.variant, "ref, avx2, avx512 or all")->capture_default_str();
  sub->add_option("--only", o->kernels.only, "Kernels whose name holds this; default: all")
      ->type_name("TEXT");
  sub->add_option("--repeat", o->kernels.repeat, "Repetitions of each")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_common_options(*sub, o->common);
  parts.push_back({sub, [o] { run_kernels(*o); }});
}

struct NetworkCommand {
  PlanOptions plan;
  DataOptions data;
  int repeat = 5;
  bool all_counts = true;
  CommonOptions common;
};

void run_network(const NetworkCommand& o) {
  forbid_core_dumps();  // images of the user's, under a key of its own
  begin_command(o.common, {}, inputs_of(o.plan, o.data));
  const auto loaded = load_model(o.plan);
  const auto plan = loaded.model.plan(to_request(o.plan, threads()));
  const auto places = plan.client().images_per_batch();
  // One batch, as full as the data allow.
  auto data = o.data;
  if (data.limit == 0 || data.limit > places) data.limit = places;
  const auto set = load_data(data, loaded.taken, Labels::unused);
  check_pixels(set, plan.client().input_range());
  const auto counts = o.all_counts ? thread_counts(threads()) : std::vector{threads()};
  auto result = bench_network(loaded.model, plan, set.images, set.elements(), counts, o.repeat);
  fmt::print("{}", result.text);
  result.json["model"] = o.plan.model;
  result.json["data"] = set.name;
  write_json(o.common, result.json);
}

void add_network(CLI::App& app, Parts& parts) {
  auto* sub = app.add_subcommand(
      "network",
      "One batch of a network, evaluated repeatedly by one engine, layer by layer against its limits");
  auto o = std::make_shared<NetworkCommand>();
  add_plan_options(*sub, o->plan);
  add_data_options(*sub, o->data, true);
  sub->add_option("--repeat", o->repeat,
                  "Evaluations at each number of threads, after a first one that takes the memory")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->add_flag("!--no-scaling", o->all_counts, "Only at all threads, not at 1, 2, 4, .. as well");
  add_common_options(*sub, o->common);
  parts.push_back({sub, [o] { run_network(*o); }});
}

struct CompareCommand {
  std::string a, b;
  CommonOptions common;
};

void add_compare(CLI::App& app, Parts& parts) {
  auto* sub = app.add_subcommand(
      "compare", "Ratios of two results of bench kernels or bench network, with their spread");
  auto o = std::make_shared<CompareCommand>();
  sub->add_option("a", o->a, "A result, JSON")->required()->type_name("A.json");
  sub->add_option("b", o->b, "Another")->required()->type_name("B.json");
  add_common_options(*sub, o->common);
  parts.push_back({sub, [o] {
                     begin_command(o->common, {}, {{"A.json", o->a}, {"B.json", o->b}});
                     const auto c = compare_results(read_bench_file(o->a), read_bench_file(o->b));
                     fmt::print("{}", comparison_text(c, o->a, o->b));
                     write_json(o->common, comparison_json(c, o->a, o->b));
                   }});
}

struct CalibrateCommand {
  std::string rates;
  int repeat = 5;
  std::vector<std::string> networks;
  CommonOptions common;
};

void run_calibrate(const CalibrateCommand& o) {
  const auto path = o.rates.empty() ? usual_rates_path() : o.rates;
  if (path.empty())
    fail_user("no place for the rates: neither XDG_CONFIG_HOME nor HOME is set; name a file with --rates");
  // Refused before minutes of work.
  if (const auto folder = std::filesystem::path(path).parent_path(); o.rates.empty() && !folder.empty())
    make_folder(folder.string());
  begin_command(o.common, {{"--rates", path}}, {});
  const auto c =
      calibrate_rates(threads(), o.repeat, o.networks.empty() ? calibration_networks() : o.networks);
  fmt::print("{}", calibration_text(c));
  write_file_atomically(path, calibrated_rates(c).dump(2) + "\n");
  fmt::print("\nwritten: {}\n", path);
  write_json(o.common, calibration_json(c));
}

void add_calibrate(CLI::App& app, Parts& parts) {
  auto* sub = app.add_subcommand("calibrate",
                                 "Measure the rates that the planner predicts with, and keep them for it");
  auto o = std::make_shared<CalibrateCommand>();
  sub->add_option("--rates", o->rates, "Where to write them; default: the user's file that plan and run read")
      ->type_name("FILE");
  sub->add_option("--repeat", o->repeat, "Evaluations of each network")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->add_option("--networks", o->networks,
                  fmt::format("Other networks (default: the usual ones): {}", kBenchmarkModels))
      ->type_name("NAME...");
  add_common_options(*sub, o->common);
  parts.push_back({sub, [o] { run_calibrate(*o); }});
}

struct ModelCommand {
  std::string name, out;
  std::uint64_t seed = 1;
  CommonOptions common;
};

void add_make_model(CLI::App& app, Parts& parts) {
  auto* sub = app.add_subcommand("make-model", "Write a network with random weights, to be timed");
  auto o = std::make_shared<ModelCommand>();
  sub->add_option("name", o->name, kBenchmarkModels)->required()->type_name("NAME");
  sub->add_option("--out", o->out, "The ONNX file")->required()->type_name("FILE");
  sub->add_option("--seed", o->seed, "Seed of the weights")->check(natural_number())->capture_default_str();
  add_common_options(*sub, o->common);
  parts.push_back({sub, [o] {
                     begin_command(o->common, {{"--out", o->out}}, {});
                     const auto weights = write_benchmark_model(o->name, o->seed, o->out);
                     fmt::print("written: {} ({})\n", o->out, weights);
                     write_json(o->common, {{"name", o->name}, {"seed", o->seed}, {"file", o->out}});
                   }});
}

}  // namespace

Command make_bench_command(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "bench", "Time kernels and networks against their limits, compare results, calibrate");
  sub->require_subcommand(1);
  auto parts = std::make_shared<Parts>();
  for (const auto add : {add_kernels, add_network, add_compare, add_calibrate, add_make_model})
    add(*sub, *parts);
  return {sub, [parts] {
            for (const auto& part : *parts)
              if (part.app->parsed()) part.run();
          }};
}

}  // namespace velum::cli
