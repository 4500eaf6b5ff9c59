#include "base/memory.h"

#include <sys/mman.h>
#include <unistd.h>

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

// From a file of "name value" lines.
std::uint64_t entry_in(const char* file, const std::string& name) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  for (std::string key; in >> key >> value;)
    if (key == name) return value;
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

void release_pages(std::span<std::byte> block) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(block.data()), end = begin + block.size();
  const auto first = (begin + page - 1) / page * page, last = end / page * page;
  // A refusal costs memory only.
  if (first < last) (void)madvise(block.data() + (first - begin), last - first, MADV_DONTNEED);
}

void reset_peak_rss() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5\n";
}

std::uint64_t available_memory_bytes() {
  std::uint64_t bytes = field_kib("/proc/meminfo", "MemAvailable");
  struct Group {
    const char *limit, *used, *statistics;
  };
  constexpr Group kGroups[] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
       "/sys/fs/cgroup/memory/memory.stat"}};
  for (const auto& group : kGroups) {
    const auto limit = number_in(group.limit);
    if (!limit) continue;
    // Cached pages of files count as used, but the system drops idle ones when memory is asked for.
    const auto used = number_in(group.used), idle = entry_in(group.statistics, "inactive_file");
    const auto held = used > idle ? used - idle : 0;
    bytes = std::min(bytes, limit > held ? limit - held : 0);
  }
  return bytes;
}

}  // namespace velum
