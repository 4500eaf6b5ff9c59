// The shape of a stage as a digit matrix product: inputs in pairs, outputs in groups. Weights come later
// (quantise.h).
#pragma once

#include <string>
#include <vector>

#include "plan/lower/network.h"
#include "plan/lower/worst_output.h"

namespace velum::plan {

struct PackedSource {
  std::uint32_t vector = 0;
  SourceKind kind = SourceKind::plain;
  std::int32_t shift = 0;    // its elements are rotated by so many slots
  std::uint32_t family = 0;  // the same for sources of one vector and kind that are rotated, or are not
  std::vector<std::uint32_t> elements;  // ascending
  // Of the real weights on this source.
  double max_weight = 0, sum_squares = 0;
  // As sum_squares, weights on elements of one channel added first: where a convolution's weights were
  // rounded, they err alike at all positions.
  double channel_squares = 0;
  // In a sum: squared distances of the weights from multiples of 1 / sum_steps, added up, for squares of
  // typical size.
  double step_error = 0;
  std::uint64_t terms = 0;
  std::uint64_t periodic_terms = 0;  // weights that differ by block: rounded as plaintexts of period P
};

struct PackedStage {
  std::string name;
  std::uint32_t vector = 0;  // that it computes
  std::uint32_t outputs = 0;
  // Sums that the groups make: outputs, or partial sums that are rotated and added to become them.
  std::uint32_t sums = 0, rotated_sums = 0;
  std::uint32_t most_rotated = 0;  // rotated sums that reach one output
  std::uint32_t blocks = 1;        // P
  double sum_steps = 0;            // see Stage
  bool shared_weights = false;     // the same at many positions
  std::vector<PackedSource> sources;
  std::vector<InputPair> pairs;
  std::vector<Group> groups;            // without weights
  std::vector<std::uint32_t> inputs;    // column of each input index
  std::uint64_t lanes = 0;              // weight places: rows times members of pairs, over all groups
  std::uint64_t panel_lanes = 0;        // the same with blocks of rows (kernels::row_block_count) for rows
  std::uint64_t row_blocks = 0;         // over all groups
  std::uint64_t periodic_products = 0;  // of rows and inputs by block
  std::uint64_t run_inputs = 0;         // inputs by block, in each block of rows that reads them
  // Ciphertexts of a vector that are rotated (plain ones and squares apart), and the copies that are made of
  // them.
  std::uint64_t decomposed = 0, rotated = 0;
  // Bits that weights may have beyond 16: where all of them differ by block they are residues, not digits,
  // and what a plaintext of period P loses to rounding can be given back.
  double extra_bits = 0;
  std::vector<OutputSums> worst;  // of the last stage
  bool partial() const { return sums != outputs || rotated_sums > 0; }
  bool squares() const;
  std::size_t input_count() const { return inputs.size(); }
};

PackedStage pack(const Network& network, std::size_t stage);

// Pairs up inputs that the same outputs read. `readers[i]` lists who reads input i, ascending; `row[i]` is an
// id of the image row (of one source) that input i lies in: inputs of different rows are paired only where
// their readers are the same.
std::vector<InputPair> pair_inputs(const std::vector<std::vector<std::uint32_t>>& readers,
                                   const std::vector<std::uint32_t>& row);

}  // namespace velum::plan
