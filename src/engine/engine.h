// Runs a plan on encrypted inputs. Public keys only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ckks/eval/evaluator.h"
#include "engine/input.h"
#include "plan/plan.h"

namespace velum::engine {

using ckks::u64;

struct StepReport {
  std::string name;
  double seconds = 0;       // without the reading of inputs, see RunReport::input_seconds
  plan::StepCost cost;      // as planned
  std::uint32_t limbs = 0;  // of the step's output
  double scale_bits = 0;    // log2 of the output's scale
  std::uint64_t outputs = 0;
  // With a probe only: -log2(rms error / largest magnitude), against the clear executor, and against the plan
  // in doubles, whose weights are rounded already: what encryption alone adds.
  double precision_bits = 0, noise_precision_bits = 0;
};

struct RunReport {
  std::vector<StepReport> steps;
  double seconds = 0;
  double input_seconds = 0;   // reading and expanding the inputs, part of `seconds`
  double serial_seconds = 0;  // outside parallel loops: bookkeeping, allocation, copies of outputs
  std::uint64_t peak_bytes_of_values = 0;  // ciphertexts and unfinished results alive at a time
};

// Called after each task with the outputs that it finished, before any of them can be freed (probes in local
// runs).
using Probe = std::function<void(std::uint32_t value, std::uint32_t first_element,
                                 const std::vector<ckks::ConstView>& elements)>;
using ProgressCallback = std::function<void(double share, const std::string& step)>;

class Engine {
 public:
  // Checks that the keys fit the plan; throws Error(user) naming what is lacking. The plan must be a verified
  // one (plan::verify_plan); plan and keys must outlive the engine.
  Engine(const plan::ServerPlan& plan, const ckks::Parameters& params, const ckks::EvaluationKeys& keys);
  Engine(const plan::ServerPlan&&, const ckks::Parameters&, const ckks::EvaluationKeys&) = delete;
  Engine(const plan::ServerPlan&, const ckks::Parameters&, const ckks::EvaluationKeys&&) = delete;
  Engine(const plan::ServerPlan&&, const ckks::Parameters&, const ckks::EvaluationKeys&&) = delete;
  ~Engine();
  // One batch, with as many threads as velum::threads() says at its beginning; not to be called from two
  // threads at once (memory is kept from run to run). Returns the output ciphertexts in order of the output
  // value's elements.
  std::vector<ckks::Ciphertext> run(const InputSource& input, RunReport* report = nullptr,
                                    const ProgressCallback& progress = {}, const Probe& probe = {}) const;

  // Gives the memory that is kept from run to run back to the system; the next run takes fresh pages. Not
  // beside a run.
  void release_memory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace velum::engine
