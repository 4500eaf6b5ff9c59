#include "bench/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "base/table.h"
#include "base/units.h"
#include "bench/kernels.h"
#include "bench/machine.h"
#include "bench/models.h"
#include "bench/network.h"
#include "session/local_rates.h"
#include "system/memory.h"

namespace velum::bench {

namespace {

using plan::Term;

// What the kernels say. The deviations tell how far the work in a network may be from the kernel on its own:
// data come from further away there.
Belief believe_kernels() {
  std::map<std::string, double> rate;
  const auto wanted = [](const std::string& name) {
    static constexpr const char* kKernels[] = {"ntt_forward",
                                               "digit_product/576x96x3",
                                               "split_pair/8192x3",
                                               "square_terms",
                                               "sum_squares",
                                               "key_product/8192x3",
                                               "base_convert/8192x1to4",
                                               "multiply_scalar_add",
                                               "expand_uniform",
                                               "unpack_bits",
                                               "run_product/576x96x512",
                                               "permute"};
    return std::ranges::any_of(kKernels, [&](const char* k) { return name.starts_with(k); });
  };
  Limits limits;
  const auto& table = kernels::table();
  for (const auto& c : kernel_cases(table, wanted)) {
    const auto timing = time_kernel(c, table.name, limits, 5);
    rate[c.name] = timing.work / timing.median();
  }
  std::vector<double> copies;
  copies.reserve(3);
  for (int i = 0; i < 3; ++i) copies.push_back(limits.measure(Resource::far_bytes, table.name));
  Belief b;
  const auto set = [&](Term t, double per_second, double deviation) {
    b.rates.per_second[plan::index(t)] = per_second;
    b.deviation[plan::index(t)] = deviation;
  };
  const double products = rate["digit_product/576x96x3"];
  set(Term::multiply_adds, products, 0.3);
  set(Term::panel_reads, products, 1);
  set(Term::splits, rate["split_pair/8192x3"], 0.5);
  set(Term::squares, rate["square_terms/8192"], 0.5);
  set(Term::square_sums, rate["sum_squares/256x36x25"], 0.5);
  set(Term::recombinations, rate["split_pair/8192x3"], 1);
  for (const std::size_t n : {4096u, 8192u, 16384u, 32768u, 65536u})
    set(plan::ntt_term(n), rate[fmt::format("ntt_forward/{}", n)], 0.3);
  set(Term::key_products, rate["key_product/8192x3"], 0.5);
  set(Term::conversions, rate["base_convert/8192x1to4"], 0.5);
  set(Term::products, rate["multiply_scalar_add/8192"], 0.5);
  set(Term::bytes, spread_of(copies).median, 0.5);
  set(Term::slice_bytes, spread_of(copies).median, 1);
  set(Term::inputs, 1 / (1 / rate["expand_uniform/8192"] + 1 / rate["unpack_bits/8192x36"]), 0.3);
  set(Term::slices, 30e6, 1);
  set(Term::calls, 10e6, 0.7);
  set(Term::blocks, 50e6, 0.7);
  set(Term::tasks, 50e3, 1);
  set(Term::periodic_products, rate["run_product/576x96x512"], 0.5);
  set(Term::run_reads, 2e9, 1);
  set(Term::permutations, rate["permute/8192"], 0.5);
  return b;
}

// Each network with one element a ciphertext, and then with some blocks: rotations and weights by block.
constexpr std::uint32_t kCalibrationBlocks = 64;
std::vector<std::pair<std::string, std::uint32_t>> calibration_cases(
    const std::vector<std::string>& networks) {
  std::vector<std::pair<std::string, std::uint32_t>> cases;
  for (const std::uint32_t blocks : {1u, kCalibrationBlocks})
    for (const auto& name : networks) cases.emplace_back(name, blocks);
  return cases;
}

// Nothing where so many blocks do not suit the network.
std::optional<plan::PlanResult> plan_case(const model::Graph& graph, std::uint32_t blocks, int threads) {
  plan::Request request;
  request.threads = threads;
  request.memory_bytes = available_memory_bytes().value_or(0);
  if (blocks == 1) return plan::make_plan(graph, request);
  request.packing = plan::Packing::blocks;
  request.blocks = blocks;
  request.batch = 1;
  try {
    return plan::make_plan(graph, request);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

const std::vector<std::string>& calibration_networks() {
  static const std::vector<std::string> kNetworks = {"dense-512x2", "dense-96x3", "conv-8x2",   "conv-20x2",
                                                     "dense-48x6",  "conv-6x5",   "pooled-16x2"};
  return kNetworks;
}

Calibration calibrate_rates(int all, int repeat, const std::vector<std::string>& networks) {
  const int before = threads();
  use_threads(1);
  const auto belief = believe_kernels();
  Calibration c;
  c.kernels = belief.rates;
  c.rates.threads = all;
  std::vector<Observation> one, many;
  for (const auto& [name, blocks] : calibration_cases(networks)) {
    const auto graph = make_benchmark_model(name, 1);
    auto planned = plan_case(graph, blocks, all);
    if (!planned) continue;
    const auto places = plan::images_per_batch(planned->plan.client);
    const auto elements = static_cast<std::size_t>(model::element_count(graph.input_shape));
    use_threads(all);
    // One drawn image in every place does: the values change nothing.
    const auto image = drawn_images(graph.input_shape, 3, 5);
    std::vector<float> pixels(places * elements);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = image[2 * elements + i % elements];
    const WarmNetwork network(std::move(*planned), pixels, elements);
    network.evaluate(name + ", first evaluation");
    std::vector<int> counts = {1};
    if (all > 1) counts.push_back(all);
    for (const int count : counts) {
      use_threads(count);
      const auto& steps = network.planned().work;
      std::vector<std::vector<double>> seconds(steps.size() + 1);
      for (int i = 0; i < repeat; ++i) {
        const auto report = network.evaluate(fmt::format("{}, {} threads", name, count));
        for (std::size_t s = 0; s < steps.size(); ++s) seconds[s].push_back(report.steps[s].seconds);
        seconds.back().push_back(report.input_seconds);
      }
      std::vector<NamedObservation> observed;
      for (std::size_t s = 0; s <= steps.size(); ++s) {
        const bool input = s == steps.size();
        // The quicker half: other programs only ever make a run slower.
        const double taken = spread_of(seconds[s]).low * count;
        observed.push_back({input ? "reading the input" : network.planned().plan.steps[s].name,
                            {input ? network.planned().input_work : steps[s], taken}});
      }
      for (auto& layer : added_by_name(observed)) {
        (count == 1 ? one : many).push_back(layer.observation);
        c.steps.push_back({blocks == 1 ? name : name + " in blocks", std::move(layer.name), count,
                           layer.observation.seconds, 0});
      }
    }
  }
  use_threads(before);
  c.rates.one = fit_rates(belief, one);
  // Threads share memory and caches, so that each is a little slower.
  c.rates.all = all > 1 ? fit_rates({c.rates.one, belief.deviation}, many) : c.rates.one;
  std::size_t first = 0, second = 0;
  for (auto& step : c.steps) {
    const auto& o = step.threads == 1 ? one[first++] : many[second++];
    step.predicted = (step.threads == 1 ? c.rates.one : c.rates.all).seconds(o.work);
  }
  return c;
}

std::string calibration_text(const Calibration& c) {
  std::vector<std::vector<std::string>> rows = {
      {"a second and thread", "kernels alone", "one thread", fmt::format("{} threads", c.rates.threads)}};
  const auto giga = [](double r) { return fmt::format("{:.4g} G", r / 1e9); };
  for (std::size_t t = 0; t < plan::kTerms; ++t)
    rows.push_back({plan::name(static_cast<Term>(t)), giga(c.kernels.per_second[t]),
                    giga(c.rates.one.per_second[t]), giga(c.rates.all.per_second[t])});
  std::string text = format_table(rows) + "\n";
  rows = {{"network", "layer", "threads", "measured", "predicted", "off by"}};
  for (const auto& s : c.steps)
    rows.push_back({s.network, s.layer, std::to_string(s.threads), format_duration(s.measured / s.threads),
                    format_duration(s.predicted / s.threads),
                    fmt::format("{:+.0f} %", 100 * (s.predicted / s.measured - 1))});
  return text + format_table(rows);
}

std::string usual_rates_path() {
  return session::user_rates_path();
}

Json calibrated_rates(const Calibration& c) {
  return session::rates_json(c.rates);
}

Json calibration_json(const Calibration& c) {
  auto json = calibrated_rates(c);
  json["machine"] = machine_facts();
  json["steps"] = Json::array();
  for (const auto& s : c.steps)
    json["steps"].push_back({{"network", s.network},
                             {"layer", s.layer},
                             {"threads", s.threads},
                             {"thread_seconds", s.measured},
                             {"predicted_thread_seconds", s.predicted}});
  return json;
}

}  // namespace velum::bench
