// JSON with its keys in the order in which they were written, as people read it.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace velum::bench {

using Json = nlohmann::ordered_json;

}  // namespace velum::bench
