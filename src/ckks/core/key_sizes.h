// Bytes of keys as files, without the frame: exactly what they take. From the numbers of the parameters
// alone, so that a planner that compares many of them builds no tables.
#pragma once

#include "ckks/core/keys.h"

namespace velum::ckks {

std::uint64_t evaluation_keys_bytes(const KeyList& list, const ParametersLiteral& params);
std::uint64_t public_key_bytes(const ParametersLiteral& params);

}  // namespace velum::ckks
