// A network evaluated repeatedly by one engine, at several numbers of threads, against its limits and the
// plan's prediction.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/limits.h"
#include "bench/statistics.h"
#include "engine/batch_file.h"
#include "plan/passes.h"
#include "session/local_run.h"

namespace velum {
class Model;
class Plan;
}  // namespace velum

namespace velum::bench {

// Keys, an encrypted batch and the engine, kept from run to run. Not movable: its members refer to each
// other.
class WarmNetwork {
 public:
  WarmNetwork(plan::PlanResult planned, std::span<const float> pixels, std::size_t elements);
  WarmNetwork(const WarmNetwork&) = delete;
  WarmNetwork& operator=(const WarmNetwork&) = delete;

  const plan::PlanResult& planned() const { return planned_; }
  const session::LocalSession& local() const { return local_; }
  std::uint64_t input_bytes() const { return input_.bytes(); }
  engine::RunReport evaluate(const std::string& title) const;

 private:
  plan::PlanResult planned_;
  session::LocalSession local_;
  engine::PackedInput input_;
};

// What all threads together can do, measured at once on as many threads as are in use.
struct MachinePeaks {
  double dot = 0;        // 16-bit multiply-adds a second
  double far_bytes = 0;  // bytes a second, memory
  double ntts = 0;       // transforms of the network's size a second
};

struct LayerTiming {
  std::string name;
  std::vector<double> seconds;  // by repetition
  double predicted = 0;
  // The limit that binds: what it would take alone, at the peaks.
  std::string limit;
  double limit_seconds = 0;
  plan::StepCost cost;
};

struct ThreadsTiming {
  int threads = 1;
  MachinePeaks peaks;
  std::vector<double> seconds;
  double predicted = 0;
  std::vector<LayerTiming> layers;  // the reading of the input last
  std::vector<double> processor;    // seconds of all threads together, by run
  double processor_seconds = 0;     // the median over the runs, as the next
  double page_faults = 0;
  double serial_seconds = 0;  // outside parallel loops, the median over the runs
};

struct NetworkTiming {
  double first_seconds = 0;  // the first run also takes the memory
  std::vector<ThreadsTiming> at;
  std::uint64_t peak_bytes = 0;  // of the evaluation, as the plan counts it
};

// Thread counts 1, 2, 4, .. and `all`.
std::vector<int> thread_counts(int all);
NetworkTiming time_network(const WarmNetwork& network, const plan::MachineRates& rates,
                           const std::vector<int>& threads, int repeat);

std::string network_text(const NetworkTiming& timing, const WarmNetwork& network, std::size_t images);
Json network_json(const NetworkTiming& timing, const WarmNetwork& network, std::size_t images);

// All of it for images in one batch: [count][elements] pixels. What is said of it, and the same for a file.
struct NetworkResult {
  std::string text;
  Json json;
};
NetworkResult bench_network(const Model& model, const Plan& plan, std::span<const float> pixels,
                            std::size_t elements, const std::vector<int>& threads, int repeat);

}  // namespace velum::bench
