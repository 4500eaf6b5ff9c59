// A network lowered to materialised vectors and the affine stages between them, still in real numbers.
#pragma once

#include <string>
#include <vector>

#include "plan/lower/block_weights.h"
#include "plan/lower/coherence.h"
#include "plan/lower/error_gains.h"
#include "plan/lower/expression.h"
#include "plan/lower/linear.h"
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
  model::Shape shape;                    // of the tensor; meaning.position is row-major in it
  // Of a network in blocks: the elements above are ciphertexts, and this says what is in them
  // (meaning.position and .offset go by element of the layout).
  Layout layout;
  // What the blocks that hold nothing are bounded by (0: they are zero), and the largest share of a
  // ciphertext that they are.
  double unused_bound = 0, unused_share = 0;
  // Bits of scale beyond what other vectors have after a rescale: where the bound says little of the size.
  double extra_bits = 0;
};

// A sum that is rotated before it is added to an element of the stage's vector; of one slice of the inputs.
struct PartialSum {
  std::uint32_t element = 0;
  std::int32_t shift = 0;
  std::uint32_t slice = 0;
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
  // Of a network in blocks, whose rows are those of ciphertexts (layout/block_map.h): the columns whose
  // weights differ by block, by row, with `weights` a row of `periodic`; and biases are [elements] or
  // [elements][P].
  std::vector<Row> periodic_rows;
  BlockWeights periodic;
  bool shared_weights = false;       // shares_weights() of the elements' stage
  std::vector<Coherence> coherence;  // of the elements' weights
  // Where this is not empty, row i is partial sum i, in order of shift and slice; partial_row_begin cuts
  // them into those of one shift and slice.
  std::vector<PartialSum> partials;
  std::vector<std::uint32_t> partial_row_begin;
};

// Bounds the coefficients of a ciphertext of the vector, or of its square (power 2), over the scale: a
// coefficient is no larger than the mean of the slots' magnitudes.
double coefficient_bound(const Vector& vector, int power);

// Whether the elements' weights are the same at many positions.
bool shares_weights(const Stage& stage);

struct Network {
  Supports supports;
  ColumnTable columns;
  std::vector<Vector> vectors;  // [0] is the input, the last one the output
  std::vector<Stage> stages;
  std::vector<std::uint32_t> input_order;  // row-major position of input element k
  std::uint32_t blocks = 1;                // P
  ErrorGains gains;                        // of the network of elements
};

// What becomes of a pool between a quadratic and the products that read it.
enum class Pools : std::uint8_t {
  composed,  // with what follows: no stage of its own, but its readers read every square of its windows
  sums,      // a stage that adds up squares and keeps their scale (sums.h)
  values,    // a stage like any other: a short modulus more, and a layout of its own
};

// Products of an element by a weight that the stage takes.
std::uint64_t count_products(const Network& network, const Stage& stage);

// Whether the stage reads elements of the vector.
bool reads(const Network& network, const Stage& stage, std::uint32_t vector);

// Lowers a polynomial graph. Throws Error(user) naming the node or tensor: not polynomial, no range.
Network lower(const model::Graph& graph, Pools pools = Pools::composed);

// Leaves out elements that nothing reads: of the input, too (a strided layer may skip some, and pixels at the
// border may have no weight). The output stays whole.
void remove_unused(Network& network);

}  // namespace velum::plan
