#include "system/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/units.h"

namespace velum {

using clock_type = std::chrono::steady_clock;

Progress::Progress(std::string title, double total, double begun)
    : title_(std::move(title)),
      total_(total),
      begun_(begun),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(clock_type::now()) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::set(double done, const std::string& note) {
  if (!terminal_) return;
  const auto now = clock_type::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double share = total_ > 0 ? std::clamp(done / total_, 0.0, 1.0) : 0;
  std::string line =
      fmt::format("\r\033[K{} {:3.0f} %  elapsed {}", title_, 100 * share, format_duration(elapsed));
  if (const double left = remaining_seconds(elapsed, begun_, done, total_); left >= 0)
    line += fmt::format("  remaining {}", format_duration(left));
  if (!note.empty()) line += "  " + note;
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

double remaining_seconds(double elapsed, double begun, double done, double total) {
  const double since = done - begun, whole = total - begun;
  if (!(since > 0.01 * whole) || done > total) return -1;
  return elapsed * (total - done) / since;
}

}  // namespace velum
