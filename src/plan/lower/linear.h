// The linear layers of a model as sparse rows.
#pragma once

#include "plan/lower/expression.h"

namespace velum::plan {

// The elements of a tensor in the order in which values hold them: image row by row, within a row position by
// position, within a position channel by channel. Vectors keep their order.
struct ElementOrder {
  std::vector<std::uint32_t> elements;   // row-major position of the k-th
  std::vector<std::uint32_t> row_begin;  // rows + 1 entries, into `elements`
};
ElementOrder element_order(const model::Shape& shape);
// The channel of a row-major position; of a vector, the position itself.
std::uint32_t channel_of(const model::Shape& shape, std::uint32_t element);

// A node with one input that is linear: its rows and its bias by output element. Not for the other kinds.
struct LinearNode {
  LinearMap map;
  std::vector<double> bias;
};
bool is_linear(const model::Operation& op);
LinearNode linear_node(const model::Node& node, const model::Shape& in);

// out[e] = sum_i factors[i] * in[i * count + e]: branches of equal shape, concatenated, added up.
LinearMap sum_of_branches(const std::vector<double>& factors, const model::Shape& shape);

// out[e] = scale[e] * in[e]
LinearMap elementwise(std::vector<double> scale, const model::Shape& shape);

}  // namespace velum::plan
