// Completing the square: y = a x^2 + b x + c as a (x + beta)^2 + gamma, element by element
// (docs/design.md, "Lowering").
#pragma once

#include <optional>
#include <vector>

#include "model/graph.h"

namespace velum::plan {

// In terms of t = x + shift: y = square * t^2 + plain * t + constant.
struct FoldedQuadratic {
  std::vector<double> shift, square, plain, constant;
  std::size_t lifted = 0;  // elements with a plain term
};

// Beyond this multiple of the range, the shift would drown x: the pair (x, x^2) is used instead.
inline constexpr double kLargestShift = 3;

// The coefficients by element, and whether they have any square at all.
struct QuadraticCoefficients {
  std::vector<double> a, b, c;
  bool linear() const;
};
QuadraticCoefficients coefficients_of(const model::Quadratic& q, const model::Shape& shape);

// `shift`: the elements are given as t = x + shift already (they were materialised before); otherwise chosen
// here, for |x| <= magnitude.
FoldedQuadratic fold(const QuadraticCoefficients& q, double magnitude, const std::vector<double>* shift);

}  // namespace velum::plan
