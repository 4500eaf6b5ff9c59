// Which part of an ONNX file is the network, and what it takes as pixels: options of every command that reads
// one.
#pragma once

#include <string>

#include "cli/common.h"
#include "velum/model.h"

namespace velum::cli {

struct NetworkOptions {
  std::string output;  // name; empty: the first
  std::string shape;   // "C,H,W" of an image; empty: the file's
  std::string range, mean,
      deviation;  // of the pixels that it takes, as velum/model.h has them; empty: the file's
};

void add_network_options(CLI::App& app, NetworkOptions& options);
ModelOptions to_model_options(const NetworkOptions& options);

}  // namespace velum::cli
