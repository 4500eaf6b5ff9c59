// What every command shares: its frame, --json, --threads, the clock, and how an error becomes an exit code.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "base/table.h"
#include "cli/targets.h"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace velum::cli {

using Json = nlohmann::ordered_json;

// A subcommand: its options live in `run`.
struct Command {
  CLI::App* app = nullptr;
  std::function<void()> run;
};

struct CommonOptions {
  std::string json;  // file; empty: none
  int threads = 0;
};
void add_common_options(CLI::App& app, CommonOptions& options);
// Before any work: sets the threads that loops use, fewer with a note where the system refuses some, and
// looks at the files of the command, --json among its outputs (cli/targets.h).
void begin_command(const CommonOptions& options, NamedPaths outputs, const NamedPaths& inputs);
// The first 12 digits of an id, for people to compare.
std::string short_id(const std::string& id);
// FOLDER/NAME, with one slash.
std::string path_in(const std::string& folder, const std::string& name);
// `mode`: kOwnerOnly where the figures say something of decrypted values.
void write_json(const CommonOptions& options, const Json& json, unsigned mode = 0644);

// Options that count: a whole number from 0 on, and nothing that a conversion would turn into one.
CLI::Validator natural_number();
// Likewise a size: a whole number, and a unit. Goes after AsSizeValue, and is asked first.
CLI::Validator size_text();

// Parses; returns false where help or version was asked for (printed by then). A wrong option is the user's
// mistake.
bool parse(CLI::App& app, int argc, char** argv);

// A line "note: ..." for each.
void print_notes(const std::vector<std::string>& notes);

}  // namespace velum::cli
