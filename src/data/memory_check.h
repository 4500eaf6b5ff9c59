// Memory is counted before it is taken.
#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"

namespace velum::data {

// Throws Error(user) where `images` of the set's shape, as floats, and `more` bytes beside them do not fit
// the memory that is available.
void require_memory(const Dataset& set, std::uint64_t images, std::uint64_t more, const std::string& what);

// The same for a block of bytes.
void require_bytes(std::uint64_t bytes, const std::string& what);

}  // namespace velum::data
