// The files that a command reads and writes, looked at together before any work.
#pragma once

#include <string>
#include <vector>

#include "base/container.h"

namespace velum::cli {

// As the command line has it; an empty path was not given. An input may be a folder of images. Of an output,
// the types of Velum's files that it can be; none: a text or a network.
struct NamedPath {
  std::string option, path;
  std::vector<FileType> writes = {};
};
using NamedPaths = std::vector<NamedPath>;

// Throws Error(user) where an output is an input too, or another output, or is there as a file of Velum of
// another kind (keys, plans, batches), and Error where it could not be written. Links are looked through.
void check_targets(const NamedPaths& outputs, const NamedPaths& inputs);

// The files and folders that a DATASET names, as inputs of `option`.
NamedPaths data_paths(const std::string& option, const std::string& dataset);

}  // namespace velum::cli
