// What the keys that a plan asks for take as files.
#pragma once

#include <cstdint>

#include "plan/plan.h"

namespace velum::plan {

// Of the evaluation keys, exactly.
std::uint64_t key_file_bytes(const ClientPlan& plan);

}  // namespace velum::plan
