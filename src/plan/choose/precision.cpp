#include "plan/choose/precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace velum::plan {

namespace {

// log2(bound / typical size), 0 where no typical size is known.
double bits_below(double bound, double typical) {
  return typical > 0 && bound > typical ? std::log2(bound / typical) : 0;
}

}  // namespace

double typical_output(const model::Graph& graph, const Network& network) {
  const auto recorded = graph.ranges.find(graph.output);
  if (recorded != graph.ranges.end() && recorded->second.typical > 0) return recorded->second.typical;
  return network.vectors.back().rms;
}

double own_precision(double bound, double typical, double least) {
  return std::max(least, kTypicalBits + bits_below(bound, typical));
}

std::optional<std::string> note_precision(double bound, double typical, double target, bool own) {
  const double below = bits_below(bound, typical), left = target - below;
  const auto sizes = fmt::format("the outputs reach {:.3g} but are typically {:.2g}: ", bound, typical);
  if (left < kLeastTypicalBits)
    return sizes +
           fmt::format(
               "{:.0f} bits of the former leave {:.0f} of the latter; {}train with a stronger "
               "--range-penalty, or further with --range-peak",
               target, std::max(0.0, left),
               own ? std::string("no parameters were found for more; ")
                   : fmt::format("ask for --precision {:.0f} or more, or ", std::ceil(kTypicalBits + below)));
  if (own && target > kBoundBits)
    return sizes + fmt::format(
                       "{:.1f} bits of the former are planned in place of {:.0f}, to leave {:.0f} of the "
                       "latter; --precision {:.0f} may be faster",
                       target, kBoundBits, left, kBoundBits);
  return std::nullopt;
}

}  // namespace velum::plan
