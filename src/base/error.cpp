#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace velum {

std::string errno_text() {
  return std::generic_category().message(errno);
}

}  // namespace velum
