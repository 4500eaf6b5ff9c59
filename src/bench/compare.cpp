#include "bench/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/table.h"

namespace velum::bench {

namespace {

const char* verdict(const Ratio& r) {
  if (!r.differs()) return "within the spread";
  return r.value < 1 ? "B is less" : "B is more";
}

std::string amount(double x, const std::string& unit) {
  if (unit == "seconds") {
    if (x < 1e-3) return fmt::format("{:.4g} us", 1e6 * x);
    if (x < 1) return fmt::format("{:.4g} ms", 1e3 * x);
    return fmt::format("{:.4g} s", x);
  }
  if (unit == "bytes") return fmt::format("{:.4g} MB", x / 1e6);
  return fmt::format("{:.4g} {}", x, unit);
}

}  // namespace

Comparison compare_results(const BenchFile& a, const BenchFile& b) {
  if (a.kind != b.kind)
    fail_user("{} holds a result of bench {}, {} one of bench {}; compare two of one kind", a.path, a.kind,
              b.path, b.kind);
  Comparison c;
  std::map<std::string, const Measurement*> others;
  for (const auto& m : b.measurements) others[m.name] = &m;
  for (const auto& m : a.measurements) {
    const auto at = others.find(m.name);
    if (at == others.end()) {
      c.only_a.push_back(m.name);
      continue;
    }
    if (at->second->unit != m.unit)
      fail_user("'{}' is in {} in {} and in {} in {}; they cannot be compared", m.name, m.unit, a.path,
                at->second->unit, b.path);
    c.rows.push_back({m.name, m.unit, spread_of(m.samples), spread_of(at->second->samples),
                      ratio_of(m.samples, at->second->samples)});
    others.erase(at);
  }
  for (const auto& m : b.measurements)
    if (others.contains(m.name)) c.only_b.push_back(m.name);
  if (c.rows.empty()) fail_user("{} and {} have no measurement in common", a.path, b.path);

  std::set<std::string> keys;
  for (const auto* file : {&a, &b})
    for (const auto& [key, value] : file->machine.items()) keys.insert(key);
  for (const auto& key : keys) {
    const auto x = a.machine.value(key, Json()), y = b.machine.value(key, Json());
    if (key != "date" && x != y)
      c.machine.push_back(fmt::format("{}: {} against {}", key, x.dump(), y.dump()));
  }
  return c;
}

std::string comparison_text(const Comparison& c, const std::string& a, const std::string& b) {
  std::string text = fmt::format("A = {}\nB = {}\n\n", a, b);
  std::vector<std::vector<std::string>> rows = {{"measurement", "A", "B", "B / A", "interval", ""}};
  double log_sum = 0;
  std::size_t times = 0;
  for (const auto& r : c.rows) {
    rows.push_back({r.name, amount(r.a.median, r.unit), amount(r.b.median, r.unit),
                    fmt::format("{:.3f}", r.ratio.value),
                    fmt::format("{:.3f} to {:.3f}", r.ratio.low, r.ratio.high), verdict(r.ratio)});
    if (r.unit == "seconds") log_sum += std::log(r.ratio.value), ++times;
  }
  text += format_table(rows);
  if (times)
    text += fmt::format("\ngeometric mean of the times' ratios: {:.3f}\n",
                        std::exp(log_sum / static_cast<double>(times)));
  text += "Ratios of medians; the interval is what the interquartile ranges of the repetitions leave open.\n";
  for (const auto& name : c.only_a) text += fmt::format("only in A: {}\n", name);
  for (const auto& name : c.only_b) text += fmt::format("only in B: {}\n", name);
  if (!c.machine.empty()) text += "\nNot measured alike:\n";
  for (const auto& line : c.machine) text += "  " + line + "\n";
  return text;
}

Json comparison_json(const Comparison& c, const std::string& a, const std::string& b) {
  Json rows = Json::array();
  for (const auto& r : c.rows)
    rows.push_back({{"name", r.name},
                    {"unit", r.unit},
                    {"a", r.a.median},
                    {"b", r.b.median},
                    {"ratio", r.ratio.value},
                    {"interval", {r.ratio.low, r.ratio.high}},
                    {"beyond_spread", r.ratio.differs()}});
  return {{"a", a},
          {"b", b},
          {"ratios", rows},
          {"only_a", c.only_a},
          {"only_b", c.only_b},
          {"machine_differences", c.machine}};
}

}  // namespace velum::bench
