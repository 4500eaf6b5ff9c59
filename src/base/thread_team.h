// Threads that help one other thread with its loops, and sleep in between.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace velum {

// Who calls run() waits for helpers that have begun, and for no others: where the machine is shared and a
// helper is not scheduled, the caller does the work alone. Idle helpers watch for the next call for some
// microseconds, as evaluation has hundreds of short loops, and sleep then. (docs/decisions/018)
class ThreadTeam {
 public:
  ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  // Calls work(0) here and work(t), 0 < t < size, each at most once, in helpers; returns when none is at it.
  // `work` takes from a supply that all share, and throws nothing. Called from within work(0), it calls
  // work(0) alone.
  void run(int size, const std::function<void(int)>& work);

 private:
  void help(int number, std::uint32_t seen);
  void grow(int size);

  // How many helpers are at the job, and whether more may join.
  static constexpr std::uint32_t kOpen = 1u << 31;
  std::atomic<std::uint32_t> state_{0};
  std::atomic<std::uint32_t> calls_{0};  // changes with every job, and at the end
  std::atomic<bool> ended_{false};
  // The job. Written while the state is 0, read by helpers that have joined.
  const std::function<void(int)>* work_ = nullptr;
  int size_ = 0;

  bool busy_ = false;
  std::vector<std::thread> helpers_;
  int process_;  // a forked one has no helpers
};

}  // namespace velum
