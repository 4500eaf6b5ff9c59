#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exec_program.h"

namespace velum::cli {

Command make_train_command(CLI::App& app) {
  auto* sub =
      app.add_subcommand("train", "Train a network for encrypted inference (velum-train, needs libtorch)");
  return {sub, [] {}};
}

void exec_train(int argc, char** argv) {
  exec_program("velum-train", argc, argv, "this build has no trainer: install libtorch-dev and build again");
}

}  // namespace velum::cli
