// What a mistyped command or option may have meant.
#pragma once

#include <span>
#include <string>

namespace CLI {
class App;
}

namespace velum::cli {

// The known name that `name` begins, or else the nearest within a third of its letters; empty where none is
// near.
std::string likely_name(const std::string& name, std::span<const std::string> known);

// After a failed parse: the first word of the command line that names no option (or, where a command was due,
// no command), and what it may have meant; empty where every word was understood.
std::string unknown_word(const CLI::App& app, int argc, char** argv);

}  // namespace velum::cli
