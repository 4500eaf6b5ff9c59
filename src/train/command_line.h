// The command line and configuration files of velum-train.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/options.h"

namespace velum::train {

struct Arguments {
  TrainOptions options;
  std::string out, json, report, curves, write_config, config;
  std::vector<std::string> notes;
  std::string taught_by, begins_with;  // rows of a table, for the report
  bool quiet = false, skip_test = false;
};

// The arguments of a run, or the exit code where nothing is to be run: help, which is printed, with the
// defaults of the recipe where one is chosen. The recipe's defaults come first, then the configuration file,
// then the command line. Throws Error(user) for what cannot be understood, with the nearest option or
// configuration key where one does not exist.
struct Parsed {
  std::optional<Arguments> arguments;
  int exit_code = 0;
};
Parsed parse_command_line(int argc, const char* const* argv);

// All options as a configuration file that gives the same run.
std::string to_toml(const TrainOptions& options);

}  // namespace velum::train
