#include "bench/network.h"

#include <fmt/format.h>

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "base/table.h"
#include "base/units.h"
#include "bench/kernel_cases.h"
#include "bench/result.h"
#include "ring/primes.h"
#include "session/client_batch.h"
#include "session/local_states.h"
#include "session/step_table.h"
#include "system/memory.h"
#include "system/progress.h"

namespace velum::bench {

namespace {

constexpr const char* kInput = "reading the input";

double process_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Pages that the system had to give this process so far.
double page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_minflt);
}

// Every thread at work at once; each measures its own share.
class PeakMeter {
 public:
  PeakMeter(std::size_t n, int all) : n_(n), limits_(static_cast<std::size_t>(all)) {
    const auto q = ring::prime_near(0x1p40, ring::root_order(ring::RingType::real, n), {});
    ntt_ = std::make_unique<ring::Ntt>(ring::RingType::real, n, q);
    for (int i = 0; i < all; ++i) {
      limbs_.emplace_back(n);
      for (std::size_t k = 0; k < n; ++k) limbs_.back()[k] = (k * 0x9e3779b97f4a7c15u) % q;
    }
    for (auto& l : limits_) l.share_far_memory(all);
  }

  MachinePeaks measure() {
    const auto count = static_cast<std::size_t>(threads());
    const std::string variant = kernels::table().name;
    std::vector<MachinePeaks> of(count);
    const auto each = [&](const auto& body) { parallel_for(count, [&](std::size_t i, int) { body(i); }); };
    each([&](std::size_t i) { of[i].dot = limits_[i].measure(Resource::dot, variant); });
    each([&](std::size_t i) { of[i].far_bytes = limits_[i].measure(Resource::far_bytes, variant); });
    each([&](std::size_t i) {
      constexpr int kTimes = 40;
      const double start = thread_seconds();
      for (int k = 0; k < kTimes / 2; ++k) {
        kernels::table().ntt_forward(limbs_[i].data(), ntt_->tables());
        kernels::table().ntt_inverse(limbs_[i].data(), ntt_->tables());
      }
      of[i].ntts = kTimes / (thread_seconds() - start);
    });
    MachinePeaks sum;
    for (const auto& p : of) {
      sum.dot += p.dot;
      sum.far_bytes += p.far_bytes;
      sum.ntts += p.ntts;
    }
    return sum;
  }

 private:
  std::size_t n_;
  std::vector<Limits> limits_;
  std::unique_ptr<ring::Ntt> ntt_;
  std::vector<AlignedBuffer<kernels::u64>> limbs_;
};

MachinePeaks median_peaks(const std::vector<MachinePeaks>& all) {
  const auto median = [&](double MachinePeaks::*member) {
    std::vector<double> values;
    values.reserve(all.size());
    for (const auto& p : all) values.push_back(p.*member);
    return spread_of(values).median;
  };
  return {median(&MachinePeaks::dot), median(&MachinePeaks::far_bytes), median(&MachinePeaks::ntts)};
}

// 16-bit multiply-adds of a step: as many digits a residue as its moduli need. Weights that differ by block
// are no digits.
double digit_multiply_adds(const plan::ServerPlan& plan, const plan::Step& step) {
  double digits = 0, by_block = 0;
  for (std::uint32_t l = 0; l < step.limbs; ++l) digits += kernels::digit_count(plan.client.params.moduli[l]);
  for (const auto& g : step.groups)
    by_block += static_cast<double>(g.rows) * static_cast<double>(g.periodic_inputs.size());
  by_block *= static_cast<double>(plan.client.params.n) * step.polys * step.limbs;
  return std::max(0.0, static_cast<double>(step.cost.multiply_adds) - by_block) * digits / step.limbs;
}

void set_limit(LayerTiming& layer, double multiply_adds, const MachinePeaks& peaks) {
  const std::pair<const char*, double> limits[] = {
      {"dot product", multiply_adds / peaks.dot},
      {"memory", static_cast<double>(layer.cost.bytes) / peaks.far_bytes},
      {"NTT", static_cast<double>(layer.cost.ntts) / peaks.ntts}};
  const auto most = std::ranges::max_element(limits, {}, [](const auto& l) { return l.second; });
  layer.limit = most->second > 0 ? most->first : "";
  layer.limit_seconds = most->second;
}

std::vector<LayerTiming> empty_layers(const plan::ServerPlan& plan) {
  std::vector<LayerTiming> layers;
  for (const auto& step : plan.steps) {
    LayerTiming layer;
    layer.name = step.name;
    // A step of squares has the name of the layer that reads them.
    if (std::ranges::count(layers, layer.name, &LayerTiming::name))
      layer.name += fmt::format(" ({})", layers.size());
    layer.cost = step.cost;
    layers.push_back(std::move(layer));
  }
  layers.emplace_back();
  layers.back().name = kInput;
  return layers;
}

double median(const std::vector<double>& v) {
  return spread_of(v).median;
}

// Images that a full batch holds.
double places_of(const WarmNetwork& network) {
  return static_cast<double>(plan::images_per_batch(network.planned().plan.client));
}

}  // namespace

WarmNetwork::WarmNetwork(plan::PlanResult planned, std::span<const float> pixels, std::size_t elements)
    : planned_(std::move(planned)), local_(planned_.plan), input_(planned_.plan.client, local_.params()) {
  const ckks::Encryptor encryptor(local_.params(), local_.secret(), ring::Randomness::system());
  session::encrypt_batch(input_, planned_.plan.client, local_.params(), encryptor, {pixels, elements});
}

engine::RunReport WarmNetwork::evaluate(const std::string& title) const {
  engine::RunReport report;
  Progress progress(title, 1);
  local_.engine().run(input_, &report,
                      [&](double share, const std::string& step) { progress.set(share, step); });
  return report;
}

std::vector<int> thread_counts(int all) {
  std::vector<int> counts;
  for (int t = 1; t < all; t *= 2) counts.push_back(t);
  counts.push_back(all);
  return counts;
}

NetworkTiming time_network(const WarmNetwork& network, const plan::MachineRates& rates,
                           const std::vector<int>& counts, int repeat) {
  const auto& plan = network.planned().plan;
  NetworkTiming timing;
  const int before = threads();
  // The run that takes the memory also tells how much it is: what the process grows by, less nothing that was
  // there before.
  use_threads(counts.back());
  const auto held = current_rss_bytes();
  reset_peak_rss();
  timing.first_seconds = network.evaluate("first evaluation").seconds;
  const auto peak = peak_rss_bytes();
  timing.peak_bytes = peak > held ? peak - held : 0;
  {
    PeakMeter meter(plan.client.params.n, counts.back());
    struct Runs {
      std::vector<MachinePeaks> peaks;
      std::vector<double> processor, faults, serial;
    };
    std::vector<Runs> runs(counts.size());
    for (const int count : counts) {
      ThreadsTiming at;
      at.threads = count;
      at.layers = empty_layers(plan);
      timing.at.push_back(std::move(at));
    }
    // In turns: what else the machine does meets all numbers of threads alike.
    for (int i = 0; i < repeat; ++i) {
      for (std::size_t k = 0; k < counts.size(); ++k) {
        auto& at = timing.at[k];
        use_threads(at.threads);
        const double start = process_seconds(), faults_before = page_faults();
        const auto report =
            network.evaluate(fmt::format("{} threads, evaluation {} of {}", at.threads, i + 1, repeat));
        runs[k].processor.push_back(process_seconds() - start);
        runs[k].faults.push_back(page_faults() - faults_before);
        runs[k].serial.push_back(report.serial_seconds);
        at.seconds.push_back(report.seconds);
        for (std::size_t s = 0; s < report.steps.size(); ++s)
          at.layers[s].seconds.push_back(report.steps[s].seconds);
        at.layers.back().seconds.push_back(report.input_seconds);
        runs[k].peaks.push_back(meter.measure());
      }
    }
    for (std::size_t k = 0; k < counts.size(); ++k) {
      auto& at = timing.at[k];
      at.processor = runs[k].processor;
      at.processor_seconds = median(at.processor);
      at.page_faults = median(runs[k].faults);
      at.serial_seconds = median(runs[k].serial);
      at.peaks = median_peaks(runs[k].peaks);
      const auto r = rates.at(at.threads);
      for (std::size_t s = 0; s < at.layers.size(); ++s) {
        const bool input = s == plan.steps.size();
        auto& layer = at.layers[s];
        layer.predicted =
            r.seconds(input ? network.planned().input_work : network.planned().work[s]) / at.threads;
        at.predicted += layer.predicted;
        set_limit(layer, input ? 0 : digit_multiply_adds(plan, plan.steps[s]), at.peaks);
      }
    }
  }
  use_threads(before);
  return timing;
}

std::string network_text(const NetworkTiming& timing, const WarmNetwork& network, std::size_t images) {
  const auto& plan = network.planned().plan;
  const double places = places_of(network);
  std::string text;
  for (const auto& at : timing.at) {
    const double all = median(at.seconds);
    text += fmt::format("{} {}\n\n", at.threads, at.threads == 1 ? "thread" : "threads");
    std::vector<std::vector<std::string>> rows = {
        {"layer", "time", "share", "predicted", "off by", "limit", "share of it"}};
    const auto row = [&](const std::string& name, double seconds, double predicted) {
      rows.push_back({name, format_duration(seconds), fmt::format("{:.1f} %", 100 * seconds / all),
                      format_duration(predicted), fmt::format("{:+.0f} %", 100 * (predicted / seconds - 1))});
    };
    for (const auto& layer : at.layers) {
      const double seconds = median(layer.seconds);
      row(layer.name, seconds, layer.predicted);
      rows.back().push_back(layer.limit);
      rows.back().push_back(
          layer.limit.empty() ? "" : fmt::format("{:.0f} %", 100 * layer.limit_seconds / seconds));
    }
    row("all", all, at.predicted);
    text += format_table(rows) + "\n";
  }
  std::vector<std::vector<std::string>> rows = {{"threads", "evaluation", "spread", "an image", "speed-up",
                                                 "registers only", "processor busy", "serial",
                                                 "page faults"}};
  for (const auto& at : timing.at) {
    const auto s = spread_of(at.seconds);
    const double speed_up = median(timing.at.front().seconds) / s.median;
    rows.push_back({std::to_string(at.threads), format_duration(s.median),
                    fmt::format("{:.1f} %", 100 * (s.high - s.low) / s.median),
                    fmt::format("{:.4f} ms", 1e3 * s.median / places), fmt::format("{:.2f}", speed_up),
                    fmt::format("{:.2f}", at.peaks.dot / timing.at.front().peaks.dot),
                    fmt::format("{:.0f} %", 100 * at.processor_seconds / s.median / at.threads),
                    fmt::format("{:.2f} %", 100 * at.serial_seconds / s.median),
                    fmt::format("{:.0f}", at.page_faults)});
  }
  text += format_table(rows);
  text += "registers only: the speed-up of a loop that touches no memory, in the same run\n";
  text += fmt::format("\n{} images in {} places; first run, memory included: {}\n", images, places,
                      format_duration(timing.first_seconds));
  text += fmt::format("input {:.1f} kB an image of a full batch\n",
                      static_cast<double>(network.input_bytes()) / places / 1e3);
  text += fmt::format("peak memory of the evaluation {}; planned {} ({})\n",
                      format_bytes(static_cast<double>(timing.peak_bytes)),
                      format_bytes(static_cast<double>(plan.peak_bytes)),
                      "with program, keys and plan, which are not in the first figure");
  text += fmt::format("rates: {}\n", network.planned().rates_origin);
  return text;
}

Json network_json(const NetworkTiming& timing, const WarmNetwork& network, std::size_t images) {
  const auto& plan = network.planned().plan;
  const double places = places_of(network);
  Json json = bench_result("network");
  Json runs = Json::array();
  for (const auto& at : timing.at) {
    const std::string suffix = fmt::format(", {} {}", at.threads, at.threads == 1 ? "thread" : "threads");
    json["measurements"].push_back(measurement("evaluation" + suffix, "seconds", at.seconds));
    Json layers = Json::array();
    const double all = median(at.seconds);
    for (const auto& layer : at.layers) {
      const double seconds = median(layer.seconds);
      if (*std::ranges::min_element(layer.seconds) > 0)
        json["measurements"].push_back(measurement("layer " + layer.name + suffix, "seconds", layer.seconds));
      Json entry = {{"name", layer.name},
                    {"median_seconds", seconds},
                    {"share", seconds / all},
                    {"predicted_seconds", layer.predicted},
                    {"predicted_over_measured", layer.predicted / seconds},
                    {"multiply_adds", layer.cost.multiply_adds},
                    {"ntts", layer.cost.ntts},
                    {"bytes", layer.cost.bytes}};
      if (!layer.limit.empty()) {
        entry["limit"] = layer.limit;
        entry["share_of_limit"] = layer.limit_seconds / seconds;
      }
      layers.push_back(entry);
    }
    runs.push_back(
        {{"threads", at.threads},
         {"seconds", at.seconds},
         {"median_seconds", all},
         {"amortized_ms", 1e3 * all / places},
         {"speed_up", median(timing.at.front().seconds) / all},
         {"efficiency", median(timing.at.front().seconds) / all / at.threads * timing.at.front().threads},
         {"registers_only_speed_up", at.peaks.dot / timing.at.front().peaks.dot},
         {"processor_seconds", at.processor_seconds},
         {"processor_seconds_by_run", at.processor},
         {"serial_seconds", at.serial_seconds},
         {"serial_share", at.serial_seconds / all},
         {"predicted_seconds", at.predicted},
         {"predicted_over_measured", at.predicted / all},
         {"peaks",
          {{"int16_multiply_adds_per_second", at.peaks.dot},
           {"memory_bytes_per_second", at.peaks.far_bytes},
           {"ntts_per_second", at.peaks.ntts}}},
         {"layers", layers}});
  }
  if (timing.peak_bytes > 0)
    json["measurements"].push_back(
        measurement("peak memory of the evaluation", "bytes", {static_cast<double>(timing.peak_bytes)}));
  const auto& last = timing.at.back();
  json["model_name"] = plan.client.model_name;
  json["images"] = images;
  json["slots"] = network.local().params().slots();
  json["images_per_batch"] = places;
  json["ring_dimension"] = plan.client.params.n;
  json["limbs"] = plan.client.params.moduli.size();
  json["rates"] = network.planned().rates_origin;
  json["threads"] = last.threads;
  json["seconds"] = last.seconds;
  json["kernels"] = kernels::table().name;
  json["median_seconds"] = median(last.seconds);
  json["amortized_ms"] = 1e3 * median(last.seconds) / places;
  json["predicted_over_measured"] = last.predicted / median(last.seconds);
  json["first_seconds"] = timing.first_seconds;
  json["input_bytes_per_image"] = static_cast<double>(network.input_bytes()) / places;
  json["evaluation_peak_bytes"] = timing.peak_bytes;
  json["planned_peak_bytes"] = plan.peak_bytes;
  json["runs"] = runs;
  return json;
}

NetworkResult bench_network(const Model& model, const Plan& plan, std::span<const float> pixels,
                            std::size_t elements, const std::vector<int>& threads, int repeat) {
  const WarmNetwork network(plan.state().result(), pixels, elements);
  const auto timing = time_network(network, plan.state().rates, threads, repeat);
  const auto images = pixels.size() / elements;
  NetworkResult r{network_text(timing, network, images), network_json(timing, network, images)};
  const auto& graph = model.state().graph;
  const auto weights = graph.metadata.find("weights");
  r.json["weights"] = weights == graph.metadata.end() ? "as in the file" : weights->second;
  r.json["activations"] = std::ranges::count_if(
      graph.nodes, [](const auto& node) { return std::holds_alternative<model::Quadratic>(node.op); });
  return r;
}

}  // namespace velum::bench
