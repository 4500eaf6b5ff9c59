// A network lowered to materialised vectors and the affine stages between them, still in real numbers.
#pragma once

#include <string>
#include <vector>

#include "plan/expression.h"
#include "plan/linear.h"
#include "plan/meaning.h"

namespace velum::plan {

// Elements that will be encrypted one by one: the input, the inputs of squares, the output.
struct Vector {
  std::string name;  // the tensor
  std::uint32_t elements = 0;
  std::vector<std::uint32_t> row_begin;  // rows + 1 entries
  double bound = 1, rms = 1;             // of the elements' true values
  std::vector<std::uint32_t> channel;    // of each element
  Meaning meaning;                       // in the model
};

// Stage i computes vector i + 1 as an affine map of squares and plain elements of earlier vectors.
struct Stage {
  std::string name;       // of the layer it ends with
  std::vector<Row> rows;  // by element of the vector
  std::vector<float> weights;
  std::vector<double> bias;
  // Positive: weights of squares are multiples of 1 / sum_steps and stay so: the result keeps the scale of
  // its squares, times sum_steps.
  double sum_steps = 0;
};

struct Network {
  Supports supports;
  ColumnTable columns;
  std::vector<Vector> vectors;  // [0] is the input, the last one the output
  std::vector<Stage> stages;
  std::vector<std::uint32_t> input_order;  // row-major position of input element k
};

// Lowers a polynomial graph; with `keep_sums`, pools of squares become stages of their own (sums.h). Throws
// Error(user) naming the node or tensor: not polynomial, no range.
Network lower(const model::Graph& graph, bool keep_sums = false);

// Leaves out elements that nothing reads (a strided layer may skip some). The input and the output stay
// whole.
void remove_unused(Network& network);

}  // namespace velum::plan
