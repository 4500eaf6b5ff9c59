// What a result has to say about where it was measured.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/json.h"

namespace velum::bench {

// Processor, instructions in use, cores, memory, governor, kernel, compiler, commit and the date.
Json machine_facts();
// Bytes of the cache of this level (2, 3) as the system tells it; 0 where it does not.
std::size_t cache_bytes(int level);

}  // namespace velum::bench
