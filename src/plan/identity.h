// The identity of a plan: what binds both halves, ciphertexts and keys.
#pragma once

#include <array>

#include "plan/plan.h"

namespace velum::plan {

// BLAKE2b of the public half's bytes, id left out.
std::array<std::uint8_t, 16> plan_id(const ClientPlan& plan);

}  // namespace velum::plan
