// Names and notes of a network that came from a file, made safe to show.
#pragma once

#include "model/graph.h"

namespace velum::model {

// Applies `printable` (base/text.h) to what people read of the graph: its name, those of its nodes, and
// notes. Names of tensors stay, since they connect the nodes; so does metadata, which is written out again as
// it was read and escaped where it is shown.
void make_names_printable(Graph& graph);

}  // namespace velum::model
