#include "bench/machine.h"

#include <fmt/format.h>

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/velum_commit.h"
#include "kernels/table.h"
#include "system/memory.h"

namespace velum::bench {

namespace {

Json governor() {
  std::ifstream in("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  std::string name;
  return in >> name ? Json(name) : Json();
}

}  // namespace

std::size_t cache_bytes(int level) {
  const long bytes = sysconf(level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

Json machine_facts() {
  const auto cpu = detect_cpu();
  Json instructions = Json::array();
  if (cpu.avx2) instructions.push_back("avx2");
  if (cpu.avx512) instructions.push_back("avx512");
  if (cpu.avx512_ifma) instructions.push_back("avx512_ifma");
  if (cpu.avx512_vnni) instructions.push_back("avx512_vnni");
  utsname system{};
  uname(&system);
  const auto memory = static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES))) *
                      static_cast<std::uint64_t>(std::max(0L, sysconf(_SC_PAGESIZE)));
  return {{"cpu", cpu_name()},
          {"instructions", instructions},
          {"kernels", kernels::table().name},
          {"cores", std::thread::hardware_concurrency()},
          {"l2_bytes", cache_bytes(2)},
          {"l3_bytes", cache_bytes(3)},
          {"memory_bytes", memory},
          {"governor", governor()},
          {"system", fmt::format("{} {}", system.sysname, system.release)},
          {"compiler", kCompiler},
          {"flags", kCompilerFlags},
          {"commit", kCommit},
          {"date", utc_now()}};
}

}  // namespace velum::bench
