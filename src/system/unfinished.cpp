#include "system/unfinished.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace velum {

namespace {

constexpr std::size_t kSlots = 32;

enum SlotState : int { kFree, kChanging, kUsed };

struct Slot {
  std::atomic<int> state{kFree};
  char path[PATH_MAX];
};

// Global, because a signal handler has no other way to know anything; plain memory, because it may not
// allocate.
std::array<Slot, kSlots> slots;
std::atomic<int> held{0};
std::atomic<int> waiting{0};  // the signal that came while held

// Only calls that a signal handler may make.
void remove_unfinished() {
  for (auto& slot : slots)
    if (slot.state == kUsed) ::unlink(slot.path);
  // Twice, because one folder may be in another.
  for (int pass = 0; pass < 2; ++pass)
    for (auto& slot : slots)
      if (slot.state == kUsed) ::rmdir(slot.path);
}

void end_by_signal(int signal) {
  const int before = errno;
  if (held > 0) {
    waiting = signal;
  } else {
    remove_unfinished();
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  errno = before;
}

}  // namespace

Unfinished::Unfinished(const std::string& path) : slot_(kSlots) {
  static const bool registered = std::atexit(remove_unfinished) == 0;
  (void)registered;
  if (path.size() >= PATH_MAX) return;
  for (std::size_t s = 0; s < kSlots; ++s) {
    int expected = kFree;
    if (!slots[s].state.compare_exchange_strong(expected, kChanging)) continue;
    std::memcpy(slots[s].path, path.c_str(), path.size() + 1);
    slots[s].state = kUsed;
    slot_ = s;
    return;
  }
}

Unfinished::~Unfinished() {
  if (slot_ < kSlots) slots[slot_].state = kFree;
}

void handle_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler == SIG_IGN) continue;
    now.sa_handler = end_by_signal;
    now.sa_flags = SA_RESTART;
    ::sigemptyset(&now.sa_mask);
    ::sigaction(signal, &now, nullptr);
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

SignalsHeld::SignalsHeld() {
  ++held;
}

SignalsHeld::~SignalsHeld() {
  if (--held > 0) return;
  if (const int signal = waiting.exchange(0)) std::raise(signal);
}

}  // namespace velum
