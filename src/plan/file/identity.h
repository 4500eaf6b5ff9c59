// The identity of a plan: what binds both halves, ciphertexts and keys.
#pragma once

#include <array>

#include "plan/plan.h"

namespace velum::plan {

// BLAKE2b of the public half's bytes, id left out. Among them is the digest of the server half.
std::array<std::uint8_t, 16> plan_id(const ClientPlan& plan);
// BLAKE2b of what only the server half holds: weights, steps, schedule.
std::array<std::uint8_t, 32> server_digest(const ServerPlan& plan);
// Gives a plan that is complete its id, which covers both halves.
void seal_plan(ServerPlan& plan);

}  // namespace velum::plan
