// Runs a plan on encrypted inputs. Public keys only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ckks/eval/evaluator.h"
#include "plan/plan.h"

namespace velum::engine {

using ckks::u64;

// Where input ciphertexts come from: memory or a file, read row by row, in the file's order.
class InputSource {
 public:
  virtual ~InputSource() = default;
  // Expands input element k (position in ClientPlan::input_order) into a view of two polynomials. Thread-safe.
  virtual void read(std::size_t k, ckks::View out) const = 0;
};

struct StepReport {
  std::string name;
  double seconds = 0;
  plan::StepCost cost;      // as planned
  std::uint32_t limbs = 0;  // of the step's output
  double scale_bits = 0;    // log2 of the output's scale
  std::uint64_t outputs = 0;
  double precision_bits = 0;  // with a probe only: -log2(rms error / largest magnitude)
};

struct RunReport {
  std::vector<StepReport> steps;
  double seconds = 0;
  std::uint64_t peak_bytes_of_values = 0;
};

// Called with each finished row of a value, before it can be freed (probes in local runs).
using Probe = std::function<void(std::uint32_t value, std::uint32_t first_element, std::vector<ckks::ConstView> elements)>;

class Engine {
 public:
  // Checks that the keys fit the plan; throws Error(user) naming what is lacking.
  Engine(const plan::ServerPlan& plan, const ckks::Parameters& params, const ckks::EvaluationKeys& keys);
  ~Engine();
  // One batch. Returns the output ciphertexts in order of the output value's elements.
  std::vector<ckks::Ciphertext> run(const InputSource& input, RunReport* report = nullptr,
                                    const std::function<void(double share, const std::string& step)>& progress = {},
                                    const Probe& probe = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace velum::engine
