// The shape of a stage as a digit matrix product: inputs in pairs, outputs in groups. Weights come later
// (quantise.h).
#pragma once

#include <string>
#include <vector>

#include "plan/network.h"

namespace velum::plan {

struct PackedSource {
  std::uint32_t vector = 0;
  SourceKind kind = SourceKind::plain;
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
};

struct PackedStage {
  std::string name;
  std::uint32_t vector = 0;  // that it computes
  std::uint32_t outputs = 0;
  double sum_steps = 0;         // see Stage
  bool shared_weights = false;  // the same at many positions
  std::vector<PackedSource> sources;
  std::vector<InputPair> pairs;
  std::vector<Group> groups;          // without weights
  std::vector<std::uint32_t> inputs;  // column of each input index
  std::uint64_t lanes = 0;            // weight places: rows times members of pairs, over all groups
  std::uint64_t panel_lanes = 0;      // the same with blocks of rows (kernels::row_block_count) for rows
  std::uint64_t blocks = 0;           // of rows, over all groups
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
