// Clean-up of a freshly read graph: nothing here changes what the network computes.
#pragma once

#include "model/graph.h"

namespace velum::model {

// Recognises polynomials, removes layers that do nothing (a pad of zero width, a reshape to the same shape),
// joins a bias to the affine layer before it and a pad to the convolution after it, and drops what the output
// does not need. The graph's shapes must be inferred, and are kept so. Throws Error(user) where weights are
// not finite at the end.
void simplify(Graph& g);

}  // namespace velum::model
