// The rates of this machine as `velum bench calibrate` leaves them for the planner.
#pragma once

#include <string>

#include "plan/passes.h"
#include "session/step_table.h"

namespace velum::session {

// The user's own file: $XDG_CONFIG_HOME/velum/rates.json, or ~/.config/velum/rates.json; empty where neither
// variable is set.
std::string user_rates_path();

// Fills the request's rates, from `choice`, else $VELUM_RATES, else the user's file where there is one, and
// says where they are from; "builtin" stands for the built-in defaults. Throws Error(user) where a file that
// was named cannot be read, or holds no rates. A user's file of another processor is left aside, which the
// text that is returned tells.
std::string apply_rates(plan::Request& request, const std::string& choice);

Json rates_json(const plan::MachineRates& rates);
// From the contents of a file; `what` names it in messages.
plan::MachineRates rates_from_json(const Json& json, const std::string& what);
plan::MachineRates read_rates_file(const std::string& path);

}  // namespace velum::session
