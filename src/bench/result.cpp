#include "bench/result.h"

#include <set>

#include "base/error.h"
#include "bench/machine.h"
#include "bench/statistics.h"
#include "system/file.h"

namespace velum::bench {

namespace {

constexpr std::uint64_t kMaxBytes = 64u << 20;

Json parse(const std::string& path) {
  const auto bytes = read_file(path, kMaxBytes);
  auto json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (json.is_discarded()) fail_user("{}: not JSON; give a file that velum bench wrote with --json", path);
  if (json.is_object() && json.contains("record") && json.contains("result")) return json["result"];
  return json;
}

const Json& member(const Json& json, const char* key, Json::value_t type, const std::string& path) {
  const auto at = json.find(key);
  if (at == json.end() || at->type() != type)
    fail_user("{}: no {} \"{}\" in it; give a file that velum bench kernels or network wrote with --json",
              path, type == Json::value_t::string ? "text" : "list", key);
  return *at;
}

Measurement read_measurement(const Json& json, const std::string& path) {
  if (!json.is_object()) fail_user("{}: a measurement is not an object; the file is damaged", path);
  Measurement m;
  m.name = member(json, "name", Json::value_t::string, path);
  m.unit = member(json, "unit", Json::value_t::string, path);
  for (const auto& x : member(json, "samples", Json::value_t::array, path)) {
    if (!x.is_number() || !(x.get<double>() > 0))
      fail_user("{}: a sample of '{}' is {}, expected a number above zero", path, m.name, x.dump());
    m.samples.push_back(x.get<double>());
  }
  if (m.samples.empty()) fail_user("{}: '{}' has no samples", path, m.name);
  return m;
}

}  // namespace

Json bench_result(const std::string& kind) {
  return {{"bench", kind},
          {"version", kBenchVersion},
          {"machine", machine_facts()},
          {"measurements", Json::array()}};
}

Json measurement(const std::string& name, const std::string& unit, const std::vector<double>& samples) {
  const auto s = spread_of(samples);
  return {{"name", name},
          {"unit", unit},
          {"samples", samples},
          {"median", s.median},
          {"quartiles", {s.low, s.high}}};
}

BenchFile read_bench_file(const std::string& path) {
  const auto json = parse(path);
  if (!json.is_object()) fail_user("{}: not a result of velum bench", path);
  BenchFile file;
  file.path = path;
  file.kind = member(json, "bench", Json::value_t::string, path);
  const auto version = json.value("version", Json());
  if (version != kBenchVersion)
    fail_user("{}: version {} of the results, this program reads {}", path, version.dump(), kBenchVersion);
  file.machine = json.value("machine", Json::object());
  if (!file.machine.is_object()) fail_user("{}: \"machine\" is not an object; the file is damaged", path);
  std::set<std::string> names;
  for (const auto& entry : member(json, "measurements", Json::value_t::array, path)) {
    file.measurements.push_back(read_measurement(entry, path));
    if (!names.insert(file.measurements.back().name).second)
      fail_user("{}: '{}' is in it twice", path, file.measurements.back().name);
  }
  if (file.measurements.empty()) fail_user("{}: no measurements in it", path);
  return file;
}

}  // namespace velum::bench
