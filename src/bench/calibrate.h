// The planner's rates, measured: kernels first, then whole networks through the engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/fit.h"
#include "bench/json.h"

namespace velum::bench {

// How well the rates explain what they were fitted to, and what they were before.
struct CalibrationStep {
  std::string network, layer;
  int threads = 1;
  double measured = 0, predicted = 0;  // seconds of a thread
};
struct Calibration {
  plan::MachineRates rates;
  plan::Rates kernels;  // what the kernels alone say, one thread
  std::vector<CalibrationStep> steps;
};

// `all` threads at most; each network is evaluated `repeat` times at one thread and at all.
Calibration calibrate_rates(int all, int repeat, const std::vector<std::string>& networks);
// Every kind of work in them: wide and narrow products, few and many terms, squares, both common rings.
const std::vector<std::string>& calibration_networks();

std::string calibration_text(const Calibration& c);

// Where `plan` and `run` look for the rates (session/local_rates.h); empty: there is no such place.
std::string usual_rates_path();
Json calibrated_rates(const Calibration& c);  // as they read them
Json calibration_json(
    const Calibration& c);  // the same with the machine, and every step that they were fitted to

}  // namespace velum::bench
