// Quantities as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace velum {

std::string format_duration(double seconds);  // "850 ms", "12.3 s", "4 min 05 s"
std::string format_bytes(double bytes);       // in powers of 1000: "12.0 kB", "1.50 GB"
std::string format_count(std::uint64_t n);    // "8,192"

}  // namespace velum
