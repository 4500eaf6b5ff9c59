// The `velum` command.
#include <CLI/CLI.hpp>
#include <string>

#include "cli/commands.h"
#include "cli/help_examples.h"
#include "system/program.h"

namespace {

using namespace velum::cli;

// The name that errors go by: "velum" and the command, where there is one.
std::string program_name(int argc, char** argv) {
  return argc > 1 && argv[1][0] != '-' ? std::string("velum ") + argv[1] : "velum";
}

void run(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "--help";
  if (first == "train") exec_train(argc, argv);
  if (first == "infer") exec_infer(argc, argv);

  CLI::App app("Neural networks on encrypted images, in batches.", "velum");
  app.set_version_flag("--version", "velum " VELUM_VERSION);
  app.require_subcommand(0, 1);
  app.footer(
      "velum COMMAND --help lists the options of a command. DATASET is digits, mnist:DIR, cifar10:DIR,\n"
      "medmnist:FILE.npz, folder:DIR, list:FILE.csv or npy:FILE[,LABELS].\n"
      "Exit code: 0 done, 1 failure of the environment, 2 the caller's mistake.");
  const std::vector<Command> commands = {
      make_train_command(app),   make_eval_command(app),  make_plan_command(app),    make_keygen_command(app),
      make_encrypt_command(app), make_infer_command(app), make_decrypt_command(app), make_run_command(app),
      make_inspect_command(app), make_bench_command(app)};
  add_help_examples(app);
  if (argc < 2) {
    std::fputs(app.help().c_str(), stdout);
    return;
  }
  if (!parse(app, argc, argv)) return;
  for (const auto& command : commands)
    if (command.app->parsed()) command.run();
}

}  // namespace

int main(int argc, char** argv) {
  return velum::run_program(program_name(argc, argv), [&] { run(argc, argv); });
}
