// How products with weights that differ by block are cut into pieces: what the engine obeys, and memory and
// costs count by.
//
// Such a weight is a plaintext of period P: its residues are constant on P runs of N / P columns, so that on
// one run a group's weights are an ordinary matrix (kernels::RunWeights). A unit of work is one limb and some
// rows of a group; within it the inputs come some at a time, whose weights are transformed to residues
// together, and then the columns slice by slice.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/types.h"
#include "plan/plan.h"

namespace velum::plan {

// Rows of a unit: every input is read, and squared, once a unit.
inline constexpr std::size_t kRunRows = 2 * kernels::kMaxRows;
// Residues of weights that a thread holds at a time, and residues of inputs that it computes.
inline constexpr std::uint64_t kRunWeightBytes = 4u << 20, kRunInputBytes = 1u << 20;
// Residues of a step's weights that are kept from run to run where they are no more than this: a small ring
// is done with a layer before its weights are transformed. In a larger one their transforms are a few
// hundredths of the products, and the residues of all steps would be gigabytes.
inline constexpr std::uint64_t kKeptWeightBytes = 64u << 20;
inline constexpr std::size_t kLargestRingKept = 16384;

// What the kept residues of a group follow from: its weights, and what each of its inputs by block is lifted
// by, which is in them. Groups of one kind share them.
struct WeightKind {
  std::uint64_t offset = 0;
  std::uint32_t rows = 0;
  std::vector<std::uint64_t> lifts;                     // of the inputs
  auto operator<=>(const WeightKind&) const = default;  // NOLINT(modernize-use-nullptr): none is there
};
std::vector<WeightKind> weight_kinds(const Step& step);  // by group

constexpr std::size_t run_row_blocks(std::size_t rows) {
  return (rows + kRunRows - 1) / kRunRows;
}
constexpr kernels::RowBlock run_row_block(std::size_t rows, std::size_t b) {
  const std::size_t count = run_row_blocks(rows);
  return {rows * b / count, rows * (b + 1) / count};
}

struct RunSlicing {
  std::size_t inputs = 0;   // at a time, at least one
  std::size_t columns = 0;  // of a slice: a power of two, part of a run or some whole runs
};
constexpr RunSlicing slice_runs(std::size_t inputs, std::size_t rows, std::size_t polys, std::size_t blocks,
                                std::size_t n) {
  RunSlicing s;
  s.inputs = static_cast<std::size_t>(kRunWeightBytes / (8 * rows * blocks));
  s.inputs = s.inputs < 1 ? 1 : s.inputs > 256 ? 256 : s.inputs;
  if (s.inputs > inputs) s.inputs = inputs;
  s.columns = n < 1024 ? n : 1024;
  while (s.columns > 16 && s.inputs * polys * s.columns * 8 > kRunInputBytes) s.columns /= 2;
  return s;
}

// Words for the transform of the weights that one input has for a block of rows.
constexpr std::size_t run_transform_words(std::size_t blocks) {
  return kernels::kMaxRows * blocks;
}

// Words that a thread needs for the products of these groups; 0 where none has weights by block.
std::size_t run_product_words(const Step& step, std::size_t group_begin, std::size_t group_end,
                              std::size_t blocks, std::size_t n);
// Residues of the step's weights by block that the engine keeps, with those of groups that share weights
// once; 0 where they would be more than kKeptWeightBytes, or the ring is larger than kLargestRingKept.
std::uint64_t kept_weight_bytes(const Step& step, std::size_t blocks, std::size_t n);

}  // namespace velum::plan
