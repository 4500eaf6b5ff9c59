#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "base/thread_team.h"

namespace velum {

namespace {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  return 1;
}

thread_local int chosen = 0;  // of the computations that this thread begins; 0: all cores

}  // namespace

void use_threads(int threads) {
  chosen = threads > 0 ? threads : 0;
}

int threads() {
  return chosen > 0 ? chosen : available_cores();
}

ThreadScope::ThreadScope(int threads) : before_(chosen) {
  use_threads(threads);
}

ThreadScope::~ThreadScope() {
  chosen = before_;
}

void parallel_for(std::size_t count, const std::function<void(std::size_t, int)>& body) {
  parallel_for(count, threads(), body);
}

void parallel_for(std::size_t count, int most, const std::function<void(std::size_t, int)>& body) {
  const int team =
      static_cast<int>(std::min<std::size_t>(count, static_cast<std::size_t>(std::max(most, 1))));
  if (team <= 1) {
    for (std::size_t i = 0; i < count; ++i) body(i, 0);
    return;
  }
  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::mutex error_lock;
  const auto work = [&](int worker) {
    try {
      for (std::size_t i = next++; i < count; i = next++) body(i, worker);
    } catch (...) {
      next = count;
      const std::lock_guard lock(error_lock);
      if (!error) error = std::current_exception();
    }
  };
  // Every thread that begins loops has helpers of its own.
  thread_local ThreadTeam helpers;
  helpers.run(team, work);
  if (error) std::rethrow_exception(error);
}

}  // namespace velum
