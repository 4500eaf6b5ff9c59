// A plan's two halves as files: all that who runs a plan needs of it, beside the plan itself. No network, no
// choice is in it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace velum::plan {

// The client half travels alone; the server half contains it.
std::vector<std::uint8_t> write_client_plan(const ClientPlan& p);
ClientPlan read_client_plan(std::span<const std::uint8_t> bytes, const std::string& what);
std::vector<std::uint8_t> write_server_plan(const ServerPlan& p);
ServerPlan read_server_plan(std::span<const std::uint8_t> bytes,
                            const std::string& what);  // verified: see verify_plan

// Every invariant the engine and the client rely on; throws Error(user) at the first one broken.
void verify_plan(const ServerPlan& p);
void verify_client_plan(const ClientPlan& p, const std::string& what);

}  // namespace velum::plan
