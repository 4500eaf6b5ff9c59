// The commands of `velum`, one file each.
#pragma once

#include "cli/common.h"

namespace velum::cli {

Command make_train_command(CLI::App& app);
Command make_eval_command(CLI::App& app);
Command make_plan_command(CLI::App& app);
Command make_keygen_command(CLI::App& app);
Command make_encrypt_command(CLI::App& app);
Command make_infer_command(CLI::App& app);
Command make_decrypt_command(CLI::App& app);
Command make_run_command(CLI::App& app);
Command make_inspect_command(CLI::App& app);
Command make_bench_command(CLI::App& app);

// `train` and `infer` are programs of their own: what the server runs never links the secret key, and nothing
// but the trainer needs libtorch. These return only by throwing.
void exec_train(int argc, char** argv);
void exec_infer(int argc, char** argv);

}  // namespace velum::cli
