// What a network's outputs say: classes, and how good they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/common.h"

namespace velum::cli {

// The largest output; with a single output, 1 where it is positive.
std::int32_t predicted_class(std::span<const double> outputs);
// outputs: [images][width]
std::vector<std::int32_t> predicted_classes(std::span<const double> outputs, std::size_t width);

// CSV: index,predicted,true,output_0,... "true" is empty where `labels` is.
std::string predictions_csv(std::span<const double> outputs, std::size_t width,
                            std::span<const std::int32_t> labels);

struct Quality {
  std::size_t images = 0;
  double accuracy = 0;
  double macro_f1 = 0;     // mean over the classes that occur
  double auc = 0;          // one class against the rest, mean over the classes that occur
  std::vector<double> f1;  // by class
  std::vector<std::vector<std::size_t>> confusion;  // [true][predicted]
  std::vector<std::string> classes;
};
Quality measure(std::span<const double> outputs, std::size_t width, std::span<const std::int32_t> labels,
                const std::vector<std::string>& classes);
std::string to_text(const Quality& q);
Json to_json(const Quality& q);

// Share of equal entries.
double agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

}  // namespace velum::cli
