#include "model/printable_names.h"

#include "base/text.h"

namespace velum::model {

void make_names_printable(Graph& graph) {
  graph.name = printable(graph.name);
  for (auto& node : graph.nodes) node.name = printable(node.name);
  for (auto& note : graph.notes) note = printable(note);
}

}  // namespace velum::model
