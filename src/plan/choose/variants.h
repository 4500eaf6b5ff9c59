// A lowered network with the levels and parameters found for it.
#pragma once

#include <optional>

#include "plan/choose/parameters.h"

namespace velum::plan {

// One way to lower the network, and the parameters found for it.
struct Variant {
  Network network;
  std::vector<PackedStage> stages;
  Levels levels;
  ParameterSearch search;
  double precision_bits = 0;  // that were searched for
  std::string limited_by;     // where the usual precision cannot be reached: what keeps it from that
  // Seconds of a slot: a larger ring takes more of them at once.
  double rate() const { return search.best.seconds / static_cast<double>(search.best.n); }
};

// What to do where nobody asked for a precision and the usual one cannot be reached.
enum class Shortfall : std::uint8_t {
  refused,
  accepted,  // the best that can be reached, where a typical output keeps kLeastTypicalBits of its own
};

// Where no precision is asked for, the planner's own; where nothing reaches that, half as much above the
// usual one, and so on down to it. Throws Error(user) where no parameters fit.
Variant search_variant(const model::Graph& graph, Network network, const Request& request,
                       Shortfall shortfall = Shortfall::refused);

// With one element a ciphertext: pools of squares composed with what follows, or kept as steps, whichever is
// predicted to be faster.
Variant best_variant(const model::Graph& graph, const Request& request, std::optional<Choice>& choice,
                     Shortfall shortfall = Shortfall::refused);

}  // namespace velum::plan
