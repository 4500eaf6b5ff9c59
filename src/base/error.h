// How errors are thrown (velum/detail/error.h says what they are). A message names the object, the expected
// and the actual value and the remedy; the kind tells the command line its exit code.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "velum/detail/error.h"

namespace velum {

template <typename... Args>
[[noreturn]] void fail_user(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::user, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::failure, fmt::format(format, std::forward<Args>(args)...));
}

// The text of errno's current value, as in "No space left on device".
std::string errno_text();

}  // namespace velum
