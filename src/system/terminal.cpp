#include "system/terminal.h"

#include <cerrno>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/text.h"

namespace velum {

void say_on_stderr(std::string_view line) {
  const auto text = printable(line) + "\n";
  (void)std::fputs(text.c_str(), stderr);
}

void note(std::string_view message) {
  say_on_stderr("note: " + std::string(message));
}

void finish_stdout() {
  errno = 0;
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return;
  fail("standard output: cannot be written: {}; files that were named are complete",
       errno ? errno_text() : "an earlier write failed");
}

}  // namespace velum
