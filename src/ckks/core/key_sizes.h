// Bytes of keys as files, without the frame: exactly what they take.
#pragma once

#include "ckks/core/keys.h"

namespace velum::ckks {

std::uint64_t evaluation_keys_bytes(const KeyList& list, const Parameters& params);
std::uint64_t public_key_bytes(const Parameters& params);

}  // namespace velum::ckks
