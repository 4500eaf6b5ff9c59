// velum bench: how fast this machine is, kernel by kernel or on a whole network.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "cli/bench_kernels.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/local_run.h"
#include "cli/plan_options.h"
#include "cli/step_table.h"

namespace velum::cli {

namespace {

void bench_kernels(const CommonOptions& common) {
  use_threads(common);
  Json json = {{"cpu", cpu_name()}, {"variants", Json::array()}};
  std::vector<std::vector<std::string>> rows = {
      {"kernels", "NTT 8192/us", "products/s", "digit mult-adds/s", "per-term/s", "ratio"}};
  const auto giga = [](double rate) { return fmt::format("{:.2f} G", rate / 1e9); };
  KernelRates best;
  for (const auto* table : kernels::available_tables()) {
    const auto r = measure_kernels(*table);
    rows.push_back({r.variant, fmt::format("{:.1f}", 1e6 * r.ntt_seconds), giga(r.pointwise),
                    giga(r.digit_products), giga(r.per_term_products),
                    fmt::format("{:.1f}", r.digit_products / r.per_term_products)});
    json["variants"].push_back({{"name", r.variant},
                                {"ntt_8192_seconds", r.ntt_seconds},
                                {"pointwise_per_second", r.pointwise},
                                {"digit_multiply_adds_per_second", r.digit_products},
                                {"per_term_multiply_adds_per_second", r.per_term_products}});
    if (r.digit_products > best.digit_products) best = r;
  }
  fmt::print("{}, one thread\n\n{}", cpu_name(), format_table(rows));
  const double compiled = measure_compiled_per_term();
  fmt::print(
      "\ndigit product of {}: {:.1f} times one modular product a term ({} a second: plain C++, compiled for "
      "this "
      "machine), {:.1f} times our own kernel for it\n",
      best.variant, best.digit_products / compiled, giga(compiled),
      best.digit_products / best.per_term_products);
  json["terms"] = kTerms;
  json["outputs"] = kOutputs;
  json["digits"] = kDigits;
  json["compiled_per_term_multiply_adds_per_second"] = compiled;
  json["ratio_to_compiled_per_term"] = best.digit_products / compiled;
  json["ratio_to_kernel_per_term"] = best.digit_products / best.per_term_products;
  write_json(common, json);
}

struct NetworkOptions {
  PlanOptions plan;
  DataOptions data;
  int repeat = 3;
  CommonOptions common;
};

void bench_network(const NetworkOptions& o) {
  use_threads(o.common);
  const auto graph = load_model(o.plan);
  const auto planned = plan::make_plan(graph, to_request(o.plan, o.common.threads));
  const auto& client = planned.plan.client;
  const LocalSession session(planned.plan);
  // One batch, as full as the data allow.
  auto data = o.data;
  if (data.limit == 0 || data.limit > session.params().slots()) data.limit = session.params().slots();
  const auto set = load_data(data, client.input_shape);
  check_pixels(set, client.input_low, client.input_high);
  std::vector<double> seconds;
  LocalResult fastest;
  for (int i = 0; i < o.repeat; ++i) {
    auto result = run_locally(session, set.images, set.elements());
    seconds.push_back(result.seconds.evaluate);
    fmt::print("evaluation {} of {}: {}\n", i + 1, o.repeat, format_duration(seconds.back()));
    std::fflush(stdout);
    if (i == 0 || seconds.back() < fastest.seconds.evaluate) fastest = std::move(result);
  }
  const auto in_order = seconds;
  std::ranges::sort(seconds);
  const double median = seconds[seconds.size() / 2], images = static_cast<double>(set.count());
  fmt::print("\n{}\n", layer_table(fastest.report));
  fmt::print("{} images, {} threads: median {}, fastest {}; {:.4f} ms an image (median)\n", set.count(),
             threads(), format_duration(median), format_duration(seconds.front()), 1e3 * median / images);
  write_json(o.common, {{"model", o.plan.model},
                        {"images", set.count()},
                        {"threads", threads()},
                        {"kernels", kernels::table().name},
                        {"seconds", in_order},
                        {"median_seconds", median},
                        {"amortized_ms", 1e3 * median / images},
                        {"peak_rss_bytes", fastest.peak_rss_bytes},
                        {"layers", layers_json(fastest.report)}});
}

}  // namespace

Command make_bench_command(CLI::App& app) {
  auto* sub = app.add_subcommand("bench", "Time the kernels, or the encrypted evaluation of a network");
  sub->require_subcommand(1);
  auto* kernels =
      sub->add_subcommand("kernels", "Transforms and matrix products, every variant this processor runs");
  auto common = std::make_shared<CommonOptions>();
  add_common_options(*kernels, *common);
  auto* network = sub->add_subcommand(
      "network",
      "One batch of a network, evaluated repeatedly by one engine: the first run also takes its memory");
  auto o = std::make_shared<NetworkOptions>();
  add_plan_options(*network, o->plan);
  add_data_options(*network, o->data, true);
  network->add_option("--repeat", o->repeat, "How often")->check(CLI::Range(1, 1000))->capture_default_str();
  add_common_options(*network, o->common);
  return {sub, [=] {
            if (kernels->parsed())
              bench_kernels(*common);
            else
              bench_network(*o);
          }};
}

}  // namespace velum::cli
