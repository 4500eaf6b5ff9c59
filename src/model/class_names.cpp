#include "model/class_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace velum::model {

std::vector<std::string> class_names(const Graph& graph) {
  const auto found = graph.metadata.find(kClassNames);
  if (found == graph.metadata.end() || found->second.empty()) return {};
  std::vector<std::string> names(1);
  for (const char c : found->second) {
    if (c == '/')
      names.emplace_back();
    else
      names.back() += c;
  }
  return names;
}

std::string class_names_text(const std::vector<std::string>& names) {
  const bool plain = std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return !name.empty() && name.find('/') == std::string::npos;
  });
  return plain ? fmt::format("{}", fmt::join(names, "/")) : "";
}

}  // namespace velum::model
