// What people read: notes on stderr, and whether stdout took what was printed.
#pragma once

#include <string_view>

namespace velum {

// One line on stderr. Never fails: an stderr that takes nothing changes no result. Control characters are
// escaped.
void say_on_stderr(std::string_view line);
void note(std::string_view message);  // the line "note: MESSAGE"

// Flushes stdout; throws Error(failure) where it did not take everything (a full disk, a closed descriptor).
void finish_stdout();

}  // namespace velum
