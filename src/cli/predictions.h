// A network's outputs as a CSV file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace velum::cli {

// CSV: index,predicted,true,output_0,... "true" is empty where `labels` is.
std::string predictions_csv(std::span<const double> outputs, std::size_t width,
                            std::span<const std::int32_t> labels);

}  // namespace velum::cli
