// Commands that live in a program of their own, next to this one.
#pragma once

#include <string>

namespace velum::cli {

// Replaces this process by PROGRAM in the folder of this executable, with the arguments after the command's
// name. Throws Error(user) with `remedy` where there is none.
void exec_program(const std::string& program, int argc, char** argv, const std::string& remedy);

}  // namespace velum::cli
