// The plan: everything that is decided before an encrypted run, as plain data.
//
// A network is lowered to *values* (vectors of encrypted elements, one ciphertext an element, the batch in its slots)
// and *steps*. A step is an affine map on sources, where a source is elements of an earlier value, taken as they are
// or squared; its outputs may be relinearised and rescaled. All weights are integers by then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ckks/core/keys.h"
#include "model/graph.h"

namespace velum::plan {

using ckks::u64;

// How the elements of a tensor lie in ciphertexts and slots. One kind today; the file format has room for others.
enum class Layout : std::uint8_t {
  batch = 0,  // ciphertext e holds element e of every image, image j in slot j
};

// A vector of encrypted elements with common level and scale.
struct Value {
  std::string name;             // tensor name in the model, or derived from it
  std::uint32_t elements = 0;
  std::uint8_t polys = 2;       // 2 or 3
  std::uint32_t limbs = 0;      // moduli 0..limbs-1
  double scale = 1;             // exact: what the integers in the slots are divided by
  double bound = 0;             // |true value| <= bound, margin included
  double rms = 0;               // typical size, for the noise estimate
  double error_rms = 0;         // predicted error of the true value against exact arithmetic with exact weights
  // Elements are ordered so that rows (all channels of one image row) are consecutive. row_begin has rows + 1 entries.
  std::vector<std::uint32_t> row_begin;
};

enum class SourceKind : std::uint8_t {
  plain = 0,   // the ciphertext as it is, times `lift`
  square = 1,  // (c0 + c1 s)^2: three polynomials
};

// Elements of one value, as inputs of a step. Input index of the step = position in the concatenation of its sources.
struct Source {
  std::uint32_t value = 0;
  SourceKind kind = SourceKind::plain;
  std::uint64_t lift = 1;                // integer factor that brings a plain source to the common scale
  std::vector<std::uint32_t> elements;   // of the value; each at most once
};

inline constexpr std::uint32_t kAbsent = 0xffffffffu;

// A pair of inputs of a step that share one 32-bit lane of a panel; second may be kAbsent.
struct InputPair {
  std::uint32_t first = 0, second = kAbsent;
};

// Outputs that read the same pairs. Weights of group g: int16 [block][pair][row of block][2] as
// kernels::DigitGroup wants them, at weights[weight_offset]; equal blocks are stored once.
struct Group {
  std::uint32_t first_output = 0;   // outputs first_output .. first_output + rows - 1 of the step's value
  std::uint32_t rows = 0;
  std::vector<std::uint32_t> pairs; // indices into Step::pairs
  std::uint64_t weight_offset = 0;  // into Step::weights
  std::uint32_t run_pairs = 0;      // see kernels::DigitGroup
  std::uint64_t row_l1 = 0;         // largest sum |w| of a row: reduce_each_run follows from it and the modulus
};

enum class Finish : std::uint8_t { none = 0, relinearise = 1, rescale = 2, relinearise_rescale = 3 };

struct StepCost {
  std::uint64_t multiply_adds = 0;   // weight * residue products over all slots, polynomials and limbs (absent pairs out)
  std::uint64_t ntts = 0;            // transforms of N points
  std::uint64_t key_products = 0;    // pointwise products in key switches, in limbs
  std::uint64_t bytes = 0;           // read and written, values only
  double seconds = 0;                // predicted, one thread
};

struct Step {
  std::string name;                  // of the model's layer that it ends with
  std::uint32_t output = 0;          // value index
  std::vector<Source> sources;
  std::uint32_t limbs = 0;           // at which the affine map is computed; sources may have more (the rest is ignored)
  std::uint8_t polys = 2;            // of the affine map's result: 3 if any source has or makes three
  std::vector<InputPair> pairs;
  std::vector<Group> groups;         // in order of first_output, covering the outputs without gaps
  std::vector<std::int16_t> weights;
  std::vector<double> bias;          // [outputs], real; added as round(bias * scale before rescale)
  double affine_scale = 1;           // scale of the affine map's result, before the rescale
  Finish finish = Finish::none;
  StepCost cost;
  // The element-wise "square, relinearise" has no weights: outputs[i] = relinearised square of input i.
  bool identity = false;
};

// One unit of the schedule: groups [group_begin, group_end) of a step, then values' rows that no later task reads are
// freed. For identity steps the range counts outputs.
struct Release {
  std::uint32_t value = 0, row_begin = 0, row_end = 0;
};
struct Task {
  std::uint32_t step = 0, group_begin = 0, group_end = 0;
  std::vector<Release> releases;  // after the task
};

// What the client needs: no weight is in it, no shape of a hidden layer.
struct ClientPlan {
  ckks::ParametersLiteral params;
  ckks::KeyList keys;
  Layout layout = Layout::batch;
  std::string model_name;
  std::vector<std::int64_t> input_shape;    // {C, H, W} or {F}
  double input_low = 0, input_high = 1;     // a pixel outside is refused
  double input_scale = 1;
  std::uint32_t input_limbs = 0;
  std::vector<std::uint32_t> input_order;   // ciphertext k of the file holds this element (row by row)
  std::uint32_t outputs = 0;
  double output_scale = 1;
  std::uint32_t output_limbs = 0;
  std::uint8_t output_polys = 3;
  double output_bound = 0;
  std::array<std::uint8_t, 16> id{};        // binds both halves, ciphertexts and keys: hash of the public half
};

struct ServerPlan {
  ClientPlan client;
  std::vector<Value> values;      // [0] is the input, in input_order
  std::vector<Step> steps;
  std::vector<Task> tasks;
  std::uint32_t output_value = 0;
  std::uint64_t peak_bytes = 0;   // predicted peak resident memory of `infer`, engine and keys included
  std::uint64_t workspace_bytes_per_thread = 0;
  int threads = 0;                // that peak_bytes was computed for
  StepCost total;
};

}  // namespace velum::plan
