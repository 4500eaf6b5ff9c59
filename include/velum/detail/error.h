// What is thrown, everywhere in Velum and by its public functions.
#pragma once

#include <stdexcept>
#include <string>

namespace velum {

/// Whose mistake an error is.
enum class ErrorKind {
  user,       ///< The caller's: a wrong file, a wrong key, an unsupported layer, an impossible request.
  failure,    ///< The environment's: a full disk, no memory, a file that cannot be read.
  cancelled,  ///< Nobody's: Monitor::cancel asked for an end.
};

/// The one exception of Velum. The message names the object, the expected and the actual value and the
/// remedy, as the command prints it.
class Error : public std::runtime_error {
 public:
  /// An error of this kind, with its message.
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  /// Whose mistake it is.
  ErrorKind kind() const { return kind_; }
  /// The exit code of a command that ends with it: 2 for the caller's mistake, otherwise 1.
  int exit_code() const { return kind_ == ErrorKind::user ? 2 : 1; }
  /// The same error with "context: " before its message, for callers that know the file or the layer.
  Error within(const std::string& context) const { return Error(kind_, context + ": " + what()); }

 private:
  ErrorKind kind_;
};

}  // namespace velum
