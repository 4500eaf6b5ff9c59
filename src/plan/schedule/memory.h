// How much memory the engine takes beside the values: the figures that the planner predicts with and the
// engine obeys.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/types.h"

namespace velum::plan {

// A worker's panel: int16 [poly][tile][pair][digit][16][2], digits as many as any modulus needs.
constexpr std::uint64_t panel_bytes(std::size_t pairs, std::size_t polys, std::size_t columns) {
  return std::uint64_t{pairs} * polys * columns * kernels::kMostDigits * 2 * sizeof(std::int16_t);
}

// Most of a core's second-level cache.
inline constexpr std::uint64_t kPanelBudget = std::uint64_t{1280} * 1024;

// Width of a slice: as wide as keeps the panel within its budget, between one tile (16) and 128 columns.
constexpr std::size_t panel_columns(std::size_t pairs, std::size_t polys, std::size_t n) {
  std::size_t columns = n < 128 ? n : 128;
  while (columns > 16 && panel_bytes(pairs, polys, columns) > kPanelBudget) columns /= 2;
  return columns;
}

// Residues of one pair that a worker computes before they are split: two members of up to three polynomials.
constexpr std::uint64_t slice_bytes(std::size_t columns) {
  return std::uint64_t{columns} * 6 * 8;
}

// Width of a slice where squares are added: as many inputs, two polynomials each, as stay in that cache,
// between 64 columns and 512.
constexpr std::size_t square_sum_columns(std::size_t inputs, std::size_t n) {
  constexpr std::uint64_t kInputBudget = std::uint64_t{1024} * 1024;
  std::size_t columns = n < 512 ? n : 512;
  while (columns > 64 && std::uint64_t{inputs} * columns * 2 * 8 > kInputBudget) columns /= 2;
  return columns;
}

}  // namespace velum::plan
