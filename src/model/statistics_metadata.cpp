#include <fmt/format.h>

#include "model/graph.h"
#include "model/input_statistics.h"

namespace velum::model {

void set_statistics(Graph& graph, const InputStatistics& s) {
  graph.metadata.erase(kInputStatistics);
  if (s.images > 0) graph.metadata[kInputStatistics] = to_text(s);
}

InputStatistics statistics_of(const Graph& graph) {
  const auto found = graph.metadata.find(kInputStatistics);
  if (found == graph.metadata.end()) return {};
  const auto what = fmt::format("metadata '{}'", kInputStatistics);
  auto s = parse_statistics(found->second, what);
  check_statistics(s, static_cast<std::size_t>(element_count(graph.input_shape)), what);
  return s;
}

}  // namespace velum::model
