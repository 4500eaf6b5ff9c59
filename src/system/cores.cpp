#include "system/cores.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <semaphore>
#include <string>
#include <vector>

namespace velum {

namespace {

int processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  return 1;
}

// Processors' worth of time that the group in `folder` may use; 0: no limit.
double quota_of(const std::string& folder) {
  double quota = 0, period = 0;
  std::ifstream unified(folder + "/cpu.max");  // "QUOTA PERIOD", or "max PERIOD", which does not read
  if (unified >> quota >> period && quota > 0 && period > 0) return quota / period;
  std::ifstream first(folder + "/cpu.cfs_quota_us"), second(folder + "/cpu.cfs_period_us");  // -1: no limit
  if (first >> quota && second >> period && quota > 0 && period > 0) return quota / period;
  return 0;
}

}  // namespace

int usable_cores(const HostFiles& host) {
  int cores = processors();
  for (const auto& folder : control_groups(host, "cpu"))
    if (const double quota = quota_of(folder); quota > 0 && quota < cores)
      cores = std::max(1, static_cast<int>(std::ceil(quota)));
  return cores;
}

int startable_threads(int wanted) {
  // They must be there together, so each waits until all have been tried.
  std::counting_semaphore<> go(0);
  std::vector<pthread_t> started;
  while (static_cast<int>(started.size()) + 1 < wanted) {
    pthread_t thread;
    const auto wait = [](void* at) -> void* {
      static_cast<std::counting_semaphore<>*>(at)->acquire();
      return nullptr;
    };
    if (::pthread_create(&thread, nullptr, wait, &go) != 0) break;
    started.push_back(thread);
  }
  go.release(static_cast<std::ptrdiff_t>(started.size()));
  for (const auto thread : started) ::pthread_join(thread, nullptr);
  return static_cast<int>(started.size()) + 1;
}

}  // namespace velum
