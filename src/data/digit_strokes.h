// How people write the ten digits: for each, a few styles, each a few strokes of the pen.
#pragma once

#include <span>

namespace velum::data {

// A point the pen goes through, in a box of height 1 (x to the right, y down, digits about 0.6 wide around x
// = 0.5). The path is smooth there unless it is a corner.
struct Knot {
  double x, y;
  bool corner = false;
};
using Stroke = std::span<const Knot>;
using Style = std::span<const Stroke>;

std::span<const Style> styles_of(int digit);

}  // namespace velum::data
