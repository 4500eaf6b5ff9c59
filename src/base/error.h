// One exception type for the whole of Velum. A message names the object, the expected and the actual value and
// the remedy; the kind tells the command line its exit code.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace velum {

enum class ErrorKind {
  user,     // the caller's mistake: wrong file, wrong key, unsupported layer, impossible request; exit code 2
  failure,  // the environment failed: disk full, no memory, cannot read; exit code 1
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return kind_ == ErrorKind::user ? 2 : 1; }
  // The same error with "context: " before its message, for callers that know the file or the layer.
  Error within(const std::string& context) const { return Error(kind_, context + ": " + what()); }

 private:
  ErrorKind kind_;
};

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
