// Pools of squares kept as a step of their own (docs/design.md, "Affine maps"): a sum of squares with weights
// +-1 adds no bits to the scale, and a convolution that reads the sums needs a fraction of the products that
// one composed with the pool would.
#pragma once

#include <string>
#include <vector>

#include "model/graph.h"
#include "plan/lower/fold.h"

namespace velum::plan {

// The pool that sums the output of this quadratic, where keeping the sums can pay: it is the only reader, and
// convolutions or dense layers follow it. Null otherwise.
const model::Node* pool_of_sums(const model::Graph& graph, const model::Node& quadratic);
bool any_pool_of_sums(const model::Graph& graph);
// Whether this is a pool that convolutions or dense layers alone mix further.
bool pool_before_products(const model::Graph& graph, const model::Node& node);
bool any_pool_before_products(const model::Graph& graph);

// Elements with a plain term are not shrunk further than this: what is carried plain would lose its
// precision.
inline constexpr double kSmallestFactor = 0.125;

// Squares of equal weight: t_i = factor[i] (x_i + shift[i]) such that square[i] t_i^2, square = +-1 but for
// the few elements whose x is carried beside it, is the folded quadratic divided by `unit_value`.
struct EvenSquares {
  double unit_value = 1;
  double steps = 1;  // squares' weights are multiples of 1/steps: 1 where all of them are +-1
  std::vector<double> factor, square, plain, constant;
};
EvenSquares even_squares(const FoldedQuadratic& f);

}  // namespace velum::plan
