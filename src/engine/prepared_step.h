// A step of the plan made ready for one ring: bias residues, input order, and the checks of a task's panel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ckks/core/parameters.h"
#include "plan/plan.h"

namespace velum::engine {

using ckks::u64;

// One input of a step, resolved to an element of a value.
struct Input {
  std::uint32_t value, element;
  plan::SourceKind kind;
  std::uint32_t source;  // index into Step::sources
};

// Residues of a step's weights by block, as WeightTransform::chunk gives them: [limb][block of rows][chunk of
// inputs] for each kind of group. Empty where they are too many to keep (plan::kept_weight_bytes).
struct KeptWeights {
  AlignedBuffer<u64> residues;
  std::vector<std::size_t> begin;  // [groups]; groups with the same weights share a place
};

struct PreparedStep {
  const plan::Step* step = nullptr;
  std::vector<Input> inputs;          // in the order of the concatenated sources
  std::size_t blocks = 1;             // P
  std::vector<u64> bias;              // [limbs][outputs] residues of round(bias * affine_scale)
  std::vector<u64> block_bias;        // or, where it differs by block, [limbs][outputs][run of columns]
  std::vector<kernels::Factor> lift;  // [sources][limbs]
  bool adds_squares = false;          // plan::adds_squares
  KeptWeights kept;                   // of weights by block
};

PreparedStep prepare_step(const plan::Step& step, std::size_t outputs, const ckks::Parameters& params,
                          std::size_t blocks = 1);

// The nearest integer to x, modulo q. |x| may exceed 2^64: the mantissa is shifted modulo q. Exact for every
// double.
u64 round_to_residue(double x, const kernels::Modulus& m);

// What some groups of a step read: the step's pairs that they use, in increasing order, and for each group
// its pairs as places in that list.
struct GroupInputs {
  std::vector<std::uint32_t> pairs;     // indices into Step::pairs
  std::vector<std::uint32_t> slots;     // of all groups, one after the other
  std::vector<std::size_t> slot_begin;  // per group
};
GroupInputs gather_inputs(const plan::Step& step, std::span<const std::uint32_t> groups);

}  // namespace velum::engine
