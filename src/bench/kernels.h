// Timings of the kernels on this machine, one thread, each beside the limit it runs against.
#pragma once

#include <string>
#include <vector>

#include "bench/json.h"
#include "bench/kernel_cases.h"
#include "bench/statistics.h"

namespace velum::bench {

struct KernelOptions {
  std::string variant = "all";  // or the name of one
  std::string only;             // cases whose name holds this
  int repeat = 9;
};

struct KernelTiming {
  std::string variant, name, unit;
  double work = 0, bytes = 0;   // a call
  std::vector<double> seconds;  // of a call, one for each repetition
  // The resource that would take longest, how fast it is, and the share of it that the kernel reaches (the
  // median of repetitions, in each of which both were measured).
  std::string limit;
  double limit_per_second = 0, share = 0;
  double median() const { return spread_of(seconds).median; }
};

KernelTiming time_kernel(const KernelCase& kernel, const std::string& variant, Limits& limits, int repeat);
std::vector<KernelTiming> time_kernels(const KernelOptions& options,
                                       const std::function<void(const KernelTiming&)>& seen = {});

std::string kernels_table(const std::vector<KernelTiming>& all);
Json kernels_json(const std::vector<KernelTiming>& all);

}  // namespace velum::bench
