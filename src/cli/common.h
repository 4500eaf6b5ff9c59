// What every command shares: its frame, --json, --threads, the clock, and how an error becomes an exit code.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace CLI {
class App;
}

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
void use_threads(const CommonOptions& options);
// FOLDER/NAME, with one slash.
std::string path_in(const std::string& folder, const std::string& name);
void write_json(const CommonOptions& options, const Json& json);

// Runs a program's body. An error becomes one line "NAME: message" on stderr and exit code 2 (the user's
// mistake) or 1.
int guarded(const std::string& name, const std::function<void()>& body);
// Parses; returns false where help or version was asked for (printed by then). A wrong option is the user's
// mistake.
bool parse(CLI::App& app, int argc, char** argv);

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(clock::now() - start_).count(); }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point start_ = clock::now();
};

// Columns set to the width of their widest cell; the first one left-aligned, the others right-aligned.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace velum::cli
