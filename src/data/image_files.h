// Images that are files of their own: a list of them, and reading it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace velum::data {

struct ImageFiles {
  std::vector<std::filesystem::path> paths;
  std::vector<std::string> names;    // of each file, for people: as short as it can be
  std::vector<std::int32_t> labels;  // of each file, or empty
  std::vector<std::string> classes;
  bool named_classes = false;
  std::vector<std::string> notes;
  bool undivided = false;
};

// Images are brought to the wanted shape, or to that of the first one. A limit takes them evenly over the
// list, so that every class stays present. `what`: the list, for messages.
Dataset read_image_files(ImageFiles list, const LoadOptions& options, const std::string& what);

}  // namespace velum::data
