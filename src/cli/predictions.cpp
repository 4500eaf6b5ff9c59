#include "cli/predictions.h"

#include <fmt/format.h>

#include <iterator>

#include "report/metrics.h"

namespace velum::cli {

std::string predictions_csv(std::span<const double> outputs, std::size_t width,
                            std::span<const std::int32_t> labels) {
  std::string text = "index,predicted,true";
  auto at = std::back_inserter(text);
  for (std::size_t o = 0; o < width; ++o) fmt::format_to(at, ",output_{}", o);
  text += '\n';
  for (std::size_t i = 0; i < outputs.size() / width; ++i) {
    const auto row = outputs.subspan(i * width, width);
    fmt::format_to(at, "{},{},", i, report::predicted_class(row));
    if (!labels.empty()) fmt::format_to(at, "{}", labels[i]);
    for (const double x : row) fmt::format_to(at, ",{:.6g}", x);
    text += '\n';
  }
  return text;
}

}  // namespace velum::cli
