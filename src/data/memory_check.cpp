#include "data/memory_check.h"

#include "base/error.h"
#include "system/memory.h"

namespace velum::data {

void require_memory(const Dataset& set, std::uint64_t images, std::uint64_t more, const std::string& what) {
  // In doubles: sizes from outside may overflow integers, and a guess of the largest is enough.
  const double bytes = static_cast<double>(images) * static_cast<double>(set.channels) *
                           static_cast<double>(set.height) * static_cast<double>(set.width) * sizeof(float) +
                       static_cast<double>(more);
  const auto available = available_memory_bytes();
  if (available && bytes > static_cast<double>(*available))
    fail_user("{}: {} images of {}x{}x{} take {:.0f} bytes, {} are available; use a limit (--images)", what,
              images, set.channels, set.height, set.width, bytes, *available);
}

void require_bytes(std::uint64_t bytes, const std::string& what) {
  if (const auto available = available_memory_bytes(); available && bytes > *available)
    fail_user("{}: {} bytes are needed to read it, {} are available", what, bytes, *available);
}

}  // namespace velum::data
