// Every kernel of every variant that this machine runs, one core, by Google Benchmark. Names are
// VARIANT/KERNEL/SIZE, so that a JSON report (--benchmark_format=json) can be read by name; the cases are
// those of `velum bench kernels`.
//
// Counters: what is done a second, in the unit of the case, and share_of_limit, of the instruction or the
// bytes that would take longest. The limit is measured around the loop itself, since clocks and neighbours
// vary.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>

#include "bench/kernel_cases.h"

namespace {

using velum::bench::KernelCase;
using velum::bench::kResources;
using velum::bench::Limits;
using velum::bench::Resource;
using velum::kernels::Table;

KernelCase case_named(const Table& table, const std::string& name) {
  auto cases = velum::bench::kernel_cases(table, [&](const std::string& other) { return other == name; });
  return std::move(cases.front());
}

// Seconds that the limits alone would take: the longest of them, measured now.
double limit_seconds(const KernelCase& kernel, const Table& table, Limits& limits) {
  double longest = 0;
  for (std::size_t r = 0; r < kResources; ++r)
    if (kernel.takes[r] > 0)
      longest = std::max(longest, kernel.takes[r] / limits.measure(static_cast<Resource>(r), table.name));
  return longest;
}

void time_case(benchmark::State& state, const Table* table, const std::string& name) {
  velum::kernels::use_table(*table);
  const auto kernel = case_named(*table, name);
  Limits limits;
  kernel.body();
  const double before = limit_seconds(kernel, *table, limits), start = velum::bench::thread_seconds();
  while (state.KeepRunning()) kernel.body();
  const double seconds = (velum::bench::thread_seconds() - start) /
                         static_cast<double>(std::max<std::int64_t>(1, state.iterations()));
  state.counters[kernel.unit + "/s"] =
      benchmark::Counter(kernel.work, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share_of_limit"] = (before + limit_seconds(kernel, *table, limits)) / 2 / seconds;
  state.SetBytesProcessed(static_cast<std::int64_t>(kernel.bytes) * state.iterations());
}

}  // namespace

int main(int argc, char** argv) {
  for (const Table* table : velum::kernels::available_tables()) {
    std::vector<std::string> names;
    velum::bench::kernel_cases(*table, [&](const std::string& name) {
      names.push_back(name);
      return false;  // made when its turn comes
    });
    for (const auto& name : names)
      benchmark::RegisterBenchmark(fmt::format("{}/{}", table->name, name).c_str(), [table, name](
                                                                                        benchmark::State& s) {
        time_case(s, table, name);
      })->Unit(benchmark::kMicrosecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
