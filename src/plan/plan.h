// The plan: everything that is decided before an encrypted run, as plain data.
//
// A network is lowered to *values* (vectors of ciphertexts) and *steps*. A step is an affine map on sources,
// where a source is ciphertexts of an earlier value, taken as they are or squared; its outputs may be
// relinearised and rescaled. All weights are integers by then. Or it is a rotation, or squares that are
// relinearised one by one.
//
// The slots of a ciphertext are cut into blocks: slot j = image * P + block, 0 <= block < P. With P = 1 a
// ciphertext holds one element of as many images as there are slots; with P > 1 it holds up to P elements of
// each of N / P images. A *layout* says which element lives in which block of which ciphertext. Blocks where
// nothing lives are zero in the output; in other values with a layout they may hold anything within the
// ranges that the moduli were chosen for, and whoever reads them multiplies them by zero.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ckks/core/keys.h"
#include "model/input_statistics.h"

namespace velum::plan {

using ckks::u64;

inline constexpr std::uint32_t kAbsent = 0xffffffffu;

// Where the elements of a tensor live: [ciphertexts][P] element numbers, kAbsent where nothing does. An
// element may live in several places of the input, and in one of any other tensor.
using Layout = std::vector<std::uint32_t>;

// A vector of ciphertexts with common level and scale.
struct Value {
  std::string name;            // tensor name in the model, or derived from it
  std::uint32_t elements = 0;  // ciphertexts
  // Empty with P = 1 (element e in ciphertext e), and for rotated copies and partial sums, whose blocks stand
  // for no element.
  Layout layout;
  std::uint8_t polys = 2;   // 2 or 3
  std::uint32_t limbs = 0;  // moduli 0..limbs-1
  double scale = 1;         // exact: what the integers in the slots are divided by
  double bound = 0;         // |true value| <= bound, margin included
  double rms = 0;           // typical size, for the noise estimate
  double error_rms = 0;     // predicted error of the true value against exact arithmetic with exact weights
  // Elements are ordered so that rows (all channels of one image row) are consecutive. row_begin has rows + 1
  // entries.
  std::vector<std::uint32_t> row_begin;
};

enum class SourceKind : std::uint8_t {
  plain = 0,   // the ciphertext as it is, times `lift`
  square = 1,  // (c0 + c1 s)^2: three polynomials
};

// Elements of one value, as inputs of a step. Input index of the step = position in the concatenation of its
// sources.
struct Source {
  std::uint32_t value = 0;
  SourceKind kind = SourceKind::plain;
  std::uint64_t lift = 1;               // integer factor that brings a plain source to the common scale
  std::vector<std::uint32_t> elements;  // of the value; each at most once
};

// Coefficients of weights that differ by block stay below this, and below every modulus.
inline constexpr std::int32_t kLargestPeriodic = 1 << 23;

// A pair of inputs of a step that share one 32-bit lane of a panel; second may be kAbsent.
struct InputPair {
  std::uint32_t first = 0, second = kAbsent;
};

// Outputs that read the same pairs. Weights of group g: int16 [block][pair][row of block][2] as
// kernels::DigitGroup wants them, at weights[weight_offset]; equal blocks are stored once.
struct Group {
  std::uint32_t first_output = 0;  // outputs first_output .. first_output + rows - 1 of the step's value
  std::uint32_t rows = 0;
  std::vector<std::uint32_t> pairs;  // indices into Step::pairs
  std::uint64_t weight_offset = 0;   // into Step::weights
  std::uint32_t run_pairs = 0;       // see kernels::DigitGroup
  std::uint64_t row_l1 = 0;  // largest sum |w| of a row: reduce_each_run follows from it and the modulus
  // Inputs whose weights differ by block: indices into the step's inputs, ascending, none of them in `pairs`
  // of this group. Their weights are plaintexts of period P (ckks/core/periodic.h): int32 [input][row][P]
  // coefficients, below kLargestPeriodic in size, at Step::periodic[periodic_offset]. A group has pairs, or
  // such inputs, or both.
  std::vector<std::uint32_t> periodic_inputs;
  std::uint64_t periodic_offset = 0;
};

enum class Finish : std::uint8_t { none = 0, relinearise = 1, rescale = 2, relinearise_rescale = 3 };

struct StepCost {
  std::uint64_t multiply_adds =
      0;  // weight * residue products over all slots, polynomials and limbs (absent pairs out)
  std::uint64_t ntts = 0;          // transforms of N points
  std::uint64_t key_products = 0;  // pointwise products in key switches, in limbs
  std::uint64_t bytes = 0;         // read and written, values only
  double seconds = 0;              // predicted, one thread
};

enum class StepKind : std::uint8_t {
  affine = 0,   // groups of outputs, weights
  squares = 1,  // output i is the relinearised square of input i: one source, of squares
  rotation =
      2,  // output i is input i rotated by shifts[i] slots: slot j + shifts[i] comes to slot j. Plain sources
          // of two polynomials, lift 1; outputs of one input stand together, so that it is decomposed once
};

struct Step {
  StepKind kind = StepKind::affine;
  std::string name;          // of the model's layer that it ends with
  std::uint32_t output = 0;  // value index
  std::vector<Source> sources;
  std::uint32_t limbs =
      0;                   // at which the affine map is computed; sources may have more (the rest is ignored)
  std::uint8_t polys = 2;  // of the affine map's result: 3 if any source has or makes three
  std::vector<InputPair> pairs;
  std::vector<Group> groups;  // in order of first_output, covering the outputs without gaps
  std::vector<std::int16_t> weights;
  std::vector<std::int32_t> periodic;  // coefficients of weights that differ by block: see Group
  std::vector<double> bias;  // [outputs] or [outputs][P], real; added at affine_scale, rounded; or empty
  std::vector<std::int32_t> shifts;  // of a rotation: [outputs], -N < shift < N, none 0
  double affine_scale = 1;           // scale of the affine map's result, before the rescale
  Finish finish = Finish::none;
  // Its outputs are made slice by slice where another step reads them, and never held (schedule/stream.h): no
  // task is of this step, the reader's tasks do its work.
  bool streamed = false;
  StepCost cost;
};

// Whether its outputs are made one by one, each from one input: such steps have no groups.
inline bool elementwise(const Step& s) {
  return s.kind != StepKind::affine;
}

// One unit of the schedule: groups [group_begin, group_end) of a step, then values' rows that no later task
// reads are freed. For squares and rotations the range counts outputs.
struct Release {
  std::uint32_t value = 0, row_begin = 0, row_end = 0;
};
struct Task {
  std::uint32_t step = 0, group_begin = 0, group_end = 0;
  std::vector<Release> releases;  // after the task
};

// What the client must know of images and outputs beside their sizes. Ciphertexts are of pixels from 0 to 1
// whatever the network was fed with: ranges, means and deviations are in its first layer.
enum class Fitting : std::uint8_t { stretch = 0, fit = 1, crop = 2 };  // of images of another size
enum class OutputKind : std::uint8_t {
  scores = 0,       // the largest one is of the class; a single one tells two apart
  logit = 1,        // a single one, whose sigmoid is the second class's probability
  probability = 2,  // a single one that is this probability
  map = 3,          // not one a class
};
struct DataForm {
  double low = 0, high = 1;    // black and white, as arrays have them
  bool range_stated = false;   // by the user or the file; otherwise 0 to 1 is what is usual
  bool channels_last = false;  // as arrays have them where it is not clear
  Fitting fitting = Fitting::stretch;
  bool as_they_lie = false;  // photographs are not turned upright
  OutputKind outputs = OutputKind::scores;
  double threshold = 0;  // of a single output or its probability, above which it is the second class
  std::vector<std::string> classes;  // names by output; empty: unknown
};

// What the client needs: no weight is in it, no shape of a hidden layer.
struct ClientPlan {
  ckks::ParametersLiteral params;
  ckks::KeyList keys;
  std::uint32_t blocks = 1;  // P: a power of two, at most N / 8; N / P images a batch
  std::string model_name;
  std::vector<std::int64_t> input_shape;  // {C, H, W} or {F}
  double input_low = 0, input_high = 1;   // a pixel outside is refused
  double input_scale = 1;
  std::uint32_t input_limbs = 0;
  bool public_key = false;    // the precision holds for inputs that were encrypted with a public key, too
  Layout input_order;         // [ciphertexts][P] elements, row-major positions in the input's shape
  std::uint32_t outputs = 0;  // numbers that the network gives for an image
  Layout output_order;        // [ciphertexts][P]: each output in one place
  double output_scale = 1;
  std::uint32_t output_limbs = 0;
  std::uint8_t output_polys = 3;
  double output_bound = 0;
  DataForm form;
  model::InputStatistics statistics;  // of the images that the network was measured on; may be none
  std::array<std::uint8_t, 32> server_digest{};  // of the server half: the client tells two networks apart
  std::array<std::uint8_t, 16> id{};  // binds both halves and ciphertexts: hash of all of the above
};

std::size_t input_ciphertexts(const ClientPlan& plan);
std::size_t output_ciphertexts(const ClientPlan& plan);
std::size_t input_elements(const ClientPlan& plan);    // of one image: the product of its shape
std::size_t images_per_batch(const ClientPlan& plan);  // B: slots / P

struct ServerPlan {
  ClientPlan client;
  std::vector<Value> values;  // [0] is the input, in input_order
  std::vector<Step> steps;
  std::vector<Task> tasks;
  std::uint32_t output_value = 0;
  std::uint64_t peak_bytes = 0;  // predicted peak resident memory of `infer`, engine and keys included
  std::uint64_t workspace_bytes_per_thread = 0;
  int threads = 0;  // that peak_bytes was computed for
  StepCost total;
};

}  // namespace velum::plan
