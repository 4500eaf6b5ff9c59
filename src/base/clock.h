// The time of day, for records.
#pragma once

#include <string>

namespace velum {

std::string utc_now();  // "2026-03-01T08:05:00Z"

}  // namespace velum
