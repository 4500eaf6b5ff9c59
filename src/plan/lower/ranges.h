// How large the elements of a vector can be and typically are. Squares overflow silently, so a bound must be
// known.
#pragma once

#include <string>
#include <vector>

#include "plan/lower/network.h"

namespace velum::plan {

struct Size {
  double bound = 0, rms = 0;
};

double magnitude(const model::Range& r);  // max |x|

// The recorded range of a tensor; throws Error(user) where the model has none, naming who needs it.
const model::Range& required_range(const model::Graph& graph, const std::string& tensor,
                                   const std::string& node);
// That of every layer that needs one, before anything is planned.
void require_ranges(const model::Graph& graph);

// Of x + shift[i], by the range of x.
Size shifted_size(const model::Range& r, const std::vector<double>& shift);

// Where no range is recorded: what the expression can reach at most, by the sizes of the vectors it reads.
Size worst_case(const Network& network, const Expression& e);

}  // namespace velum::plan
