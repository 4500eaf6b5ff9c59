// The rates of this machine as `velum bench calibrate` leaves them for the planner.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/common.h"
#include "plan/passes.h"

namespace velum::cli {

// The user's own file: $XDG_CONFIG_HOME/velum/rates.json, or ~/.config/velum/rates.json; empty where neither
// variable is set.
std::string user_rates_path();

// --rates FILE, else $VELUM_RATES, else the user's file where there is one. "builtin" stands for the built-in
// defaults.
void add_rates_option(CLI::App& app, std::string& option);
// Fills the request's rates and says where they are from. Throws Error(user) where a file that was named
// cannot be read, or holds no rates; a user's file of another processor is left aside with a note on stderr.
void apply_rates(plan::Request& request, const std::string& option);

Json rates_json(const plan::MachineRates& rates);
// From the contents of a file; `what` names it in messages.
plan::MachineRates rates_from_json(const Json& json, const std::string& what);
plan::MachineRates read_rates_file(const std::string& path);

}  // namespace velum::cli
