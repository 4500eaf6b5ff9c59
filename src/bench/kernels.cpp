#include "bench/kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/error.h"
#include "base/table.h"
#include "bench/machine.h"
#include "bench/result.h"

namespace velum::bench {

namespace {

constexpr double kSecondsARepetition = 0.004;

// The variant for operations of the scheme, put back at the end.
class TableInUse {
 public:
  explicit TableInUse(const kernels::Table& t) : before_(kernels::table()) { kernels::use_table(t); }
  TableInUse(const TableInUse&) = delete;
  TableInUse& operator=(const TableInUse&) = delete;
  ~TableInUse() { kernels::use_table(before_); }

 private:
  const kernels::Table& before_;
};

std::string time_text(double seconds) {
  if (seconds < 1e-5) return fmt::format("{:.0f} ns", 1e9 * seconds);
  if (seconds < 1e-2) return fmt::format("{:.1f} us", 1e6 * seconds);
  return fmt::format("{:.2f} ms", 1e3 * seconds);
}

std::string rate_text(double rate) {
  if (rate >= 1e9) return fmt::format("{:.2f} G", rate / 1e9);
  if (rate >= 1e6) return fmt::format("{:.1f} M", rate / 1e6);
  return fmt::format("{:.0f}", rate);
}

const KernelTiming* find(const std::vector<KernelTiming>& all, std::string_view variant,
                         std::string_view name) {
  const auto at =
      std::ranges::find_if(all, [&](const auto& t) { return t.variant == variant && t.name == name; });
  return at == all.end() ? nullptr : &*at;
}

double rate(const KernelTiming* t) {
  return t ? t->work / t->median() : 0;
}

}  // namespace

KernelTiming time_kernel(const KernelCase& kernel, const std::string& variant, Limits& limits, int repeat) {
  KernelTiming timing{variant, kernel.name, kernel.unit, kernel.work, kernel.bytes, {}, {}, 0, 0};
  kernel.body();  // tables and caches filled
  std::size_t calls = 1;
  for (;;) {
    const double start = thread_seconds();
    for (std::size_t i = 0; i < calls; ++i) kernel.body();
    const double taken = thread_seconds() - start;
    if (taken >= kSecondsARepetition) break;
    calls = std::max(calls + 1, static_cast<std::size_t>(static_cast<double>(calls) *
                                                         std::min(10.0, 1.2 * kSecondsARepetition / taken)));
  }
  std::vector<double> shares, rates[kResources];
  for (int i = 0; i < repeat; ++i) {
    const double start = thread_seconds();
    for (std::size_t c = 0; c < calls; ++c) kernel.body();
    const double seconds = (thread_seconds() - start) / static_cast<double>(calls);
    timing.seconds.push_back(seconds);
    for (std::size_t r = 0; r < kResources; ++r)
      if (kernel.takes[r] > 0) rates[r].push_back(limits.measure(static_cast<Resource>(r), variant));
  }
  double longest = 0;
  std::size_t binding = kResources;
  for (std::size_t r = 0; r < kResources; ++r) {
    if (rates[r].empty()) continue;
    const double seconds = kernel.takes[r] / spread_of(rates[r]).median;
    if (seconds > longest) longest = seconds, binding = r;
  }
  if (binding == kResources) return timing;
  for (std::size_t i = 0; i < timing.seconds.size(); ++i)
    shares.push_back(kernel.takes[binding] / rates[binding][i] / timing.seconds[i]);
  timing.limit = resource_name(static_cast<Resource>(binding), variant);
  timing.limit_per_second = spread_of(rates[binding]).median;
  timing.share = spread_of(shares).median;
  return timing;
}

std::vector<KernelTiming> time_kernels(const KernelOptions& options,
                                       const std::function<void(const KernelTiming&)>& seen) {
  std::vector<const kernels::Table*> tables;
  if (options.variant == "all")
    tables.assign(kernels::available_tables().begin(), kernels::available_tables().end());
  else
    tables.push_back(&kernels::table_named(options.variant));
  std::vector<KernelTiming> all;
  Limits limits;
  for (const auto* table : tables) {
    const TableInUse in_use(*table);
    const auto cases = kernel_cases(
        *table, [&](const std::string& name) { return name.find(options.only) != std::string::npos; });
    if (cases.empty())
      fail_user("no kernel's name holds '{}'; without --only all of them are timed", options.only);
    for (const auto& c : cases) {
      all.push_back(time_kernel(c, table->name, limits, options.repeat));
      if (seen) seen(all.back());
    }
  }
  return all;
}

std::string kernels_table(const std::vector<KernelTiming>& all) {
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "variant", "time", "spread", "a second", "", "bytes/s", "limit", "its rate", "share"}};
  for (const auto& t : all) {
    const auto s = spread_of(t.seconds);
    rows.push_back({t.name, t.variant, time_text(s.median),
                    fmt::format("{:.1f} %", 100 * (s.high - s.low) / s.median), rate_text(t.work / s.median),
                    t.unit, rate_text(t.bytes / s.median), t.limit, rate_text(t.limit_per_second),
                    fmt::format("{:.0f} %", 100 * t.share)});
  }
  return format_table(rows);
}

Json kernels_json(const std::vector<KernelTiming>& all) {
  Json json = bench_result("kernels");
  std::vector<std::string> variants;
  for (const auto& t : all) {
    auto entry = measurement(t.variant + "/" + t.name, "seconds", t.seconds);
    entry["variant"] = t.variant;
    entry["kernel"] = t.name;
    entry["unit_of_work"] = t.unit;
    entry["per_second"] = t.work / t.median();
    entry["bytes_per_second"] = t.bytes / t.median();
    entry["limit"] = t.limit;
    entry["limit_per_second"] = t.limit_per_second;
    entry["share_of_limit"] = t.share;
    json["measurements"].push_back(entry);
    if (variants.empty() || variants.back() != t.variant) variants.push_back(t.variant);
  }
  // What the tables of the documentation quote.
  json["terms"] = kTerms;
  json["outputs"] = kOutputs;
  json["digits"] = kDigits;
  json["variants"] = Json::array();
  const auto digit_case = digit_case_name(kTerms, kOutputs, kDigits);
  double best = 0, best_per_term = 0;
  for (const auto& v : variants) {
    const auto *ntt = find(all, v, kNttCase), *digit = find(all, v, digit_case);
    if (!ntt || !digit) continue;
    const double per_term = rate(find(all, v, kPerTermCase));
    json["variants"].push_back({{"name", v},
                                {"ntt_8192_seconds", ntt->median()},
                                {"pointwise_per_second", rate(find(all, v, kMultiplyCase))},
                                {"digit_multiply_adds_per_second", rate(digit)},
                                {"digit_share_of_limit", digit->share},
                                {"per_term_multiply_adds_per_second", per_term}});
    if (rate(digit) > best) best = rate(digit), best_per_term = per_term;
  }
  const double compiled = rate(find(all, "ref", kCompiledPerTermCase)),
               plain = rate(find(all, "ref", digit_case)), avx2 = rate(find(all, "avx2", digit_case));
  if (compiled > 0) {
    json["compiled_per_term_multiply_adds_per_second"] = compiled;
    json["ratio_to_compiled_per_term"] = best / compiled;
  }
  if (best_per_term > 0) json["ratio_to_kernel_per_term"] = best / best_per_term;
  if (plain > 0 && avx2 > 0) json["ratio_avx2_to_ref"] = avx2 / plain;
  return json;
}

}  // namespace velum::bench
