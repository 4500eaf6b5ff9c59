#include "base/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace velum {

namespace {

std::uint64_t field_kib(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string key; in >> key;) {
    if (key == name + ":") {
      std::uint64_t value = 0;
      in >> value;
      return value * 1024;
    }
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

std::uint64_t number_in(const char* file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return (in >> value) ? value : 0;  // "max" reads as 0
}

}  // namespace

std::uint64_t peak_rss_bytes() { return field_kib("/proc/self/status", "VmHWM"); }
std::uint64_t current_rss_bytes() { return field_kib("/proc/self/status", "VmRSS"); }

void reset_peak_rss() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5\n";
}

std::uint64_t available_memory_bytes() {
  std::uint64_t bytes = field_kib("/proc/meminfo", "MemAvailable");
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  if (limit) {
    const auto used = number_in("/sys/fs/cgroup/memory.current");
    bytes = std::min(bytes, limit > used ? limit - used : 0);
  }
  return bytes;
}

}  // namespace velum
