// Polynomials of degree at most 2 in one tensor, with coefficients that broadcast to it, and the pass that
// finds them in a graph however they are written.
#pragma once

#include <optional>
#include <vector>

#include "model/graph.h"

namespace velum::model {

// As Coefficients, in doubles: products of coefficients are rounded to float once, at the end.
struct Field {
  Shape dims;  // empty: a scalar
  std::vector<double> values{0.0};

  static Field scalar(double v) { return {{}, {v}}; }
  bool is(double v) const;  // every value is v
};
Field to_field(const Coefficients& c);
Coefficients to_coefficients(const Field& f);
Field operator+(const Field& x, const Field& y);
Field operator*(const Field& x, const Field& y);

struct Polynomial {  // c0 + c1 x + c2 x^2
  Field c0, c1, c2;

  static Polynomial identity() { return {Field::scalar(0), Field::scalar(1), Field::scalar(0)}; }
  int degree() const { return c2.is(0) ? 1 : 2; }
};
Polynomial operator+(const Polynomial& p, const Polynomial& q);
// Nothing where the degree would exceed 2.
std::optional<Polynomial> multiply(const Polynomial& p, const Polynomial& q);
std::optional<Polynomial> compose(const Polynomial& outer, const Polynomial& inner);  // outer(inner(x))

// ScaleShift and Quadratic as polynomials of their input; nothing for any other layer.
std::optional<Polynomial> polynomial_of(const Operation& op);
// ScaleShift for degree 1, Quadratic for degree 2.
Operation to_operation(const Polynomial& p);

// Replaces sums and products of branches that are together one polynomial of degree <= 2 in a common tensor
// by a single ScaleShift or Quadratic of that tensor, and merges chains of them. A square whose value is also
// used elsewhere is left alone: merging would compute it twice. Nodes left without a use stay, for the caller
// to drop. True where anything changed.
bool recognise_polynomials(Graph& g);

}  // namespace velum::model
