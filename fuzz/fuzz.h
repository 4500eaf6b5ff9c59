// What every target does with a reader: bytes are read, or refused as the user's mistake. Anything else is a
// defect, also an error that blames the machine, since the machine has nothing to do with the bytes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "base/error.h"

namespace velum::fuzz {

using Bytes = std::span<const std::uint8_t>;

template <typename Action>
void read_or_refuse(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::user) return;
    std::fprintf(stderr, "not the user's mistake: %s\n", error.what());
    std::abort();
  }
}

// A reader's promise that does not hold.
inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace velum::fuzz
