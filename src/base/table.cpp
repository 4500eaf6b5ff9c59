#include "base/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace velum {

std::string format_table(std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> width;
  for (auto& row : rows)
    for (auto& cell : row) cell = printable(cell);
  for (const auto& row : rows) {
    width.resize(std::max(width.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == 0)
        line += fmt::format("{:<{}}", row[c], width[c]);
      else
        line += fmt::format("  {:>{}}", row[c], width[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace velum
