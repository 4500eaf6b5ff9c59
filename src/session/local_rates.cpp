#include "session/local_rates.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/error.h"
#include "kernels/table.h"
#include "system/file.h"

namespace velum::session {

namespace {

constexpr int kVersion = 1;
constexpr std::uint64_t kMaxBytes = 1u << 20;
constexpr const char* kBuiltIn = "builtin";

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets any
  return value ? value : "";
}

Json one_json(const plan::Rates& rates) {
  Json json = Json::object();
  for (std::size_t t = 0; t < plan::kTerms; ++t)
    json[plan::name(static_cast<plan::Term>(t))] = rates.per_second[t];
  return json;
}

plan::Rates one_from_json(const Json& json, const char* key, const std::string& what) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_object())
    fail_user("{}: no rates \"{}\" in it; run velum bench calibrate again", what, key);
  plan::Rates rates;
  for (std::size_t t = 0; t < plan::kTerms; ++t) {
    const char* term = plan::name(static_cast<plan::Term>(t));
    const auto value = at->find(term);
    if (value == at->end())
      fail_user("{}: \"{}\" has no rate of {}; run velum bench calibrate again", what, key, term);
    if (!value->is_number() || !(value->get<double>() > 0) || !(value->get<double>() < 1e18))
      fail_user(
          "{}: the rate of {} in \"{}\" is {}, expected a number above zero; run velum bench calibrate again",
          what, term, key, value->dump());
    rates.per_second[t] = value->get<double>();
  }
  return rates;
}

Json parse_rates(const std::string& path) {
  const auto bytes = read_file(path, kMaxBytes);
  auto json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (json.is_discarded() || !json.is_object())
    fail_user("{}: not a file of rates; run velum bench calibrate, or use --rates builtin", path);
  return json;
}

}  // namespace

std::string user_rates_path() {
  const auto config = environment("XDG_CONFIG_HOME"), home = environment("HOME");
  if (!config.empty()) return config + "/velum/rates.json";
  return home.empty() ? "" : home + "/.config/velum/rates.json";
}

Json rates_json(const plan::MachineRates& rates) {
  return {{"rates", "velum"},
          {"version", kVersion},
          {"cpu", cpu_name()},
          {"kernels", kernels::table().name},
          {"threads", rates.threads},
          {"one_thread", one_json(rates.one)},
          {"all_threads", one_json(rates.all)}};
}

plan::MachineRates rates_from_json(const Json& json, const std::string& what) {
  if (!json.is_object() || json.value("rates", Json()) != "velum")
    fail_user("{}: not a file of rates; run velum bench calibrate, or use --rates builtin", what);
  if (json.value("version", Json()) != kVersion)
    fail_user("{}: version {} of the rates, this program reads {}; run velum bench calibrate again", what,
              json.value("version", Json()).dump(), kVersion);
  plan::MachineRates rates;
  const auto threads = json.value("threads", Json());
  if (!threads.is_number_integer() || threads.get<std::int64_t>() < 1 || threads.get<std::int64_t>() > 4096)
    fail_user("{}: \"threads\" is {}, expected 1 to 4096; run velum bench calibrate again", what,
              threads.dump());
  rates.threads = threads.get<int>();
  rates.one = one_from_json(json, "one_thread", what);
  rates.all = one_from_json(json, "all_threads", what);
  return rates;
}

plan::MachineRates read_rates_file(const std::string& path) {
  return rates_from_json(parse_rates(path), path);
}

std::string apply_rates(plan::Request& request, const std::string& option) {
  auto path = option.empty() ? environment("VELUM_RATES") : option;
  if (path == kBuiltIn) return {};
  const bool named = !path.empty();
  if (!named) {
    path = user_rates_path();
    std::error_code error;
    if (path.empty() || !std::filesystem::exists(path, error)) return {};
  }
  const auto json = parse_rates(path);
  const auto rates = rates_from_json(json, path);
  // A home may be shared by machines: another's rates are no better than the defaults.
  if (!named &&
      (json.value("cpu", Json()) != cpu_name() || json.value("kernels", Json()) != kernels::table().name))
    return fmt::format(
        "{} is of another processor or kernel variant and is left aside; run velum bench calibrate", path);
  request.rates = rates;
  request.rates_origin = "calibrated, from " + path;
  return {};
}

}  // namespace velum::session
