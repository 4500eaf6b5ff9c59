#include "system/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace velum {

namespace {

using Bytes = std::optional<std::uint64_t>;

// From a file of "NAME: VALUE kB" lines.
Bytes field_kib(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string key; in >> key;) {
    if (key == name + ":") {
      std::uint64_t value = 0;
      if (in >> value) return value * 1024;
    }
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

// From a file of "name value" lines; 0 where there is no such line.
std::uint64_t entry_in(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  for (std::string key; in >> key >> value;)
    if (key == name) return value;
  return 0;
}

Bytes number_in(const std::string& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return (in >> value) ? Bytes(value) : std::nullopt;  // "max" is no number
}

// What the whole system could give.
Bytes available_on(const HostFiles& host) {
  const auto file = host.proc + "/meminfo";
  if (const auto available = field_kib(file, "MemAvailable")) return available;
  // Kernels before 3.14, WSL 1: what is free, and what is kept of files.
  if (const auto idle = field_kib(file, "MemFree"))
    return *idle + field_kib(file, "Buffers").value_or(0) + field_kib(file, "Cached").value_or(0);
  return std::nullopt;
}

// Version 1 writes "no limit" as a number of about 2^63.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

struct GroupFiles {
  const char *limit, *used;
};

// What a control group leaves; nothing where it sets no limit.
Bytes left_in(const std::string& folder) {
  constexpr GroupFiles kVersions[] = {{"/memory.max", "/memory.current"},
                                      {"/memory.limit_in_bytes", "/memory.usage_in_bytes"}};
  for (const auto& files : kVersions) {
    const auto limit = number_in(folder + files.limit);
    if (!limit || *limit >= kNoLimit) continue;
    // Cached pages of files count as used, but the system drops idle ones when memory is asked for.
    // (Version 1 counts those of the groups below under "total".)
    const auto statistics = folder + "/memory.stat";
    const auto used = number_in(folder + files.used).value_or(0),
               idle = std::max(entry_in(statistics, "inactive_file"),
                               entry_in(statistics, "total_inactive_file"));
    const auto held = used > idle ? used - idle : 0;
    return *limit > held ? *limit - held : 0;
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t peak_rss_bytes() {
  return field_kib("/proc/self/status", "VmHWM").value_or(0);
}
std::uint64_t current_rss_bytes() {
  return field_kib("/proc/self/status", "VmRSS").value_or(0);
}

void release_pages(std::span<std::byte> block) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(block.data()), end = begin + block.size();
  const auto first = (begin + page - 1) / page * page, last = end / page * page;
  // A refusal costs memory only.
  if (first < last) (void)madvise(block.data() + (first - begin), last - first, MADV_DONTNEED);
}

void return_free_memory() {
#ifdef __GLIBC__
  (void)malloc_trim(0);
#endif
}

void reset_peak_rss() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5\n";
}

std::optional<std::uint64_t> available_memory_bytes(const HostFiles& host) {
  auto bytes = available_on(host);
  for (const auto& folder : control_groups(host, "memory"))
    if (const auto left = left_in(folder)) bytes = std::min(bytes.value_or(*left), *left);
  return bytes;
}

}  // namespace velum
