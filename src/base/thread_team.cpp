#include "base/thread_team.h"

#include <unistd.h>

#include <chrono>
#include <system_error>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace velum {

namespace {

// A sleeping thread takes some microseconds to wake, and costs its waker a system call.
constexpr auto kWatched = std::chrono::microseconds(50);

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Until `value` is no longer `old`: watching first, asleep then.
void await_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 32; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() - start < kWatched);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam() : process_(getpid()) {}

ThreadTeam::~ThreadTeam() {
  ended_ = true;
  calls_.fetch_add(1);
  calls_.notify_all();
  for (auto& helper : helpers_)
    if (getpid() == process_)
      helper.join();
    else
      helper.detach();
}

void ThreadTeam::grow(int size) {
  while (static_cast<int>(helpers_.size()) + 1 < size) {
    const int number = static_cast<int>(helpers_.size()) + 1;
    try {
      helpers_.emplace_back([this, number, seen = calls_.load()] { help(number, seen); });
    } catch (const std::system_error&) {
      return;  // the system gives no more threads: those that are there do the work
    }
  }
}

void ThreadTeam::run(int size, const std::function<void(int)>& work) {
  if (busy_ || size <= 1) return work(0);
  grow(size);
  busy_ = true;
  work_ = &work;
  size_ = size;
  state_.store(kOpen, std::memory_order_release);
  calls_.fetch_add(1);
  calls_.notify_all();
  work(0);
  // From here on nobody joins.
  auto at_it = state_.fetch_and(~kOpen, std::memory_order_acq_rel) & ~kOpen;
  while (at_it != 0) {
    await_change(state_, at_it);
    at_it = state_.load(std::memory_order_acquire);
  }
  busy_ = false;
}

void ThreadTeam::help(int number, std::uint32_t seen) {
  for (;;) {
    await_change(calls_, seen);
    seen = calls_.load(std::memory_order_acquire);
    if (ended_) return;
    auto state = state_.load(std::memory_order_relaxed);
    bool joined = false;
    while ((state & kOpen) != 0 && !joined)
      joined = state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel,
                                            std::memory_order_relaxed);
    if (!joined) continue;
    if (number < size_) (*work_)(number);
    if (state_.fetch_sub(1, std::memory_order_acq_rel) == 1) state_.notify_one();
  }
}

}  // namespace velum
