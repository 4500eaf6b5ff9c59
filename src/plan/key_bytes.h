// What the keys that a plan asks for take as files, exactly and with their frames.
#pragma once

#include <cstdint>

#include "plan/plan.h"

namespace velum::plan {

std::uint64_t key_file_bytes(const ClientPlan& plan);  // of the evaluation keys
std::uint64_t public_key_file_bytes(const ClientPlan& plan);

}  // namespace velum::plan
