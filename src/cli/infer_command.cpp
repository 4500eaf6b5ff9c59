#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exec_program.h"

namespace velum::cli {

Command make_infer_command(CLI::App& app) {
  auto* sub =
      app.add_subcommand("infer", "Evaluate a network on an encrypted batch (the server; no secret key)");
  return {sub, [] {}};
}

void exec_infer(int argc, char** argv) {
  exec_program("velum-infer", argc, argv, "install it next to velum (cmake --install does)");
}

}  // namespace velum::cli
