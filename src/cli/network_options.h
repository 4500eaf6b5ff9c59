// Which part of an ONNX file is the network, and what it takes as pixels: options of every command that reads
// one.
#pragma once

#include <string>

#include "cli/common.h"
#include "model/onnx.h"

namespace velum::cli {

struct NetworkOptions {
  std::string output;  // name; empty: the first
  std::string shape;   // "C,H,W" of an image; empty: the file's
  std::string range, mean,
      deviation;  // of the pixels that it takes, as model/pixels.h has them; empty: the file's
};

void add_network_options(CLI::App& app, NetworkOptions& options);
// Refuses a shape that is none.
model::LoadOptions to_load_options(const NetworkOptions& options);
// Refuses a network that is not polynomial: all that stands in the way, and the command that replaces it.
void require_encryptable(const model::Graph& graph, const std::string& file);

}  // namespace velum::cli
