// A network's outputs as a CSV file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/output_rule.h"

namespace velum::cli {

struct Predictions {
  const Taken& taken;
  std::span<const double> outputs;       // [images][taken.outputs], as they are encrypted
  std::span<const double> written;       // [images][any width]: what stands in the columns output_0 and on
  std::span<const std::int32_t> labels;  // or empty
  std::span<const std::string> paths;    // of the images' files, or empty
};

// CSV: index,predicted,true,class,probability,[path,]output_0,... What is unknown is left empty: labels,
// names, and what is said of classes where outputs are not scores of classes.
std::string predictions_csv(const Predictions& p);

// The names of image files by their number, which stay with their owner: index,path.
std::string names_csv(std::span<const std::string> paths);
// Throws Error(user) where the file is none such, or has not `images` rows in order.
std::vector<std::string> read_names_csv(const std::string& file, std::size_t images);

}  // namespace velum::cli
