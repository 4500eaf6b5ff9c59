// Layouts in blocks: which element of a vector lives in which block of which ciphertext (docs/design.md,
// "Blocks").
//
// Images are cut into rectangles: position (y, x) of a channel lives in the block of its rectangle, in the
// ciphertext of its place within it, so that a convolution's taps rotate only where they cross an edge. Where
// strides have made a map smaller than the grid of blocks, one position a block is left, and then gaps
// between them. Vectors without height and width are spread over the blocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/lower/network.h"

namespace velum::plan {

struct Place {
  std::uint32_t ciphertext = 0, block = 0;
};

// Of each element: one place, or several in an input; none where it is not read.
class ElementPlaces {
 public:
  ElementPlaces() = default;
  // `element`: [ciphertexts][P], the element in each place.
  ElementPlaces(const Layout& element, std::uint32_t elements, std::uint32_t blocks);
  std::size_t size() const { return begin_.size() - 1; }
  // By ciphertext, then by block.
  std::span<const Place> operator[](std::size_t element) const {
    return std::span(all_).subspan(begin_[element], begin_[element + 1] - begin_[element]);
  }

 private:
  std::vector<std::uint32_t> begin_{0};
  std::vector<Place> all_;
};

struct BlockLayout {
  std::uint32_t blocks = 1;  // P
  std::uint32_t ciphertexts = 0;
  Layout element;  // [ciphertexts][P]
  ElementPlaces places;
  std::vector<std::uint32_t> row_begin;  // of ciphertexts: those at one height in their rectangles
  std::vector<std::uint32_t> channel;    // of each ciphertext
};

// One side of the grid for a map of some size: position y lives in block (y / tile) * gap, at y % tile in it.
struct GridAxis {
  std::uint32_t tile = 1, gap = 1;
  // Blocks that a map of so many positions reaches over.
  std::uint32_t reach(std::uint32_t positions) const { return (positions + tile - 1) / tile * gap - gap + 1; }
};

// A map of channels on a grid whose rows of blocks are `columns` blocks apart; `packed` channels share a
// ciphertext, their grids `area` blocks apart.
struct GridShape {
  GridAxis y, x;
  std::uint32_t columns = 1, area = 1, packed = 1;
};

BlockLayout grid_layout(const Vector& vector, const GridShape& grid, std::uint32_t blocks);
// Element e in block e % P of ciphertext e / P.
BlockLayout spread_layout(const Vector& vector, std::uint32_t blocks);
// The input as the first stage reads it: ciphertext k holds, in the block of each of its outputs, the k-th
// tap of the output's window, so that no rotation is needed. Every pixel travels once for each tap that reads
// it.
BlockLayout gathered_layout(const Network& network, const BlockLayout& outputs, std::uint32_t blocks);

}  // namespace velum::plan
