// The frame of a program: its streams and signals, and how an error becomes one line and an exit code.
#pragma once

#include <functional>
#include <string>

namespace velum {

// Runs a program's body. An error becomes one line "NAME: message" on stderr and exit code 2 (the user's
// mistake) or 1, and so does a stdout that does not take what is printed. Files under way are removed if a
// signal ends it.
int run_program(const std::string& name, const std::function<void()>& body);

// The command that started this process, as a shell takes it again, its program without its folder; empty
// where the system does not say.
std::string command_line();

// For programs that hold a secret key: what they have in memory is written to no core dump.
void forbid_core_dumps();

}  // namespace velum
