// Weights that differ by block, kept as where they stand in the network of elements and read row by row:
// written out they take gigabytes, and planning looks at many layouts of which it keeps one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plan/plan.h"

namespace velum::plan {

// A weight of a term: that of the element in a block, by its place in the element's row of weights.
struct WeightPlace {
  std::uint32_t element_block = 0, index = 0;
};

// Where the weights of ciphertexts alike stand, by term of their sums. Where a map is cut down by strides and
// laid out anew, most terms have weights in few of thousands of blocks: only those are kept.
struct WeightPlaces {
  // By term, and the end: its weights in `all`, by the elements' blocks, ascending.
  std::vector<std::size_t> begin;
  std::vector<WeightPlace> all;
  // By term: its weight of block p's element stands in block p + giant, modulo P.
  std::vector<std::int32_t> giant;

  std::span<const WeightPlace> of(std::size_t term) const {
    return std::span(all).subspan(begin[term], begin[term + 1] - begin[term]);
  }
};

// Block `block` + `by` of P blocks; `by` from -P to P.
inline std::uint32_t shifted_block(std::uint32_t block, std::int64_t by, std::uint32_t blocks) {
  const auto at = std::int64_t{block} + by;
  return static_cast<std::uint32_t>(at < 0 ? at + blocks : at >= blocks ? at - blocks : at);
}

// Rows of [columns][P] weights.
class BlockWeights {
 public:
  BlockWeights() = default;
  // `weights`: those of the elements' stage, which must outlive this object; `row`: by ciphertext and block
  // of the stage's vector, where the row of the element there begins in them (anything where there is no
  // element).
  BlockWeights(std::uint32_t blocks, const std::vector<float>& weights, std::vector<std::size_t> row)
      : blocks_(blocks), weights_(weights.data()), row_(std::move(row)) {}

  std::size_t add_places(WeightPlaces places);
  const WeightPlaces& places(std::size_t index) const { return places_[index]; }
  // A list of terms of `places`; then rows of ciphertexts that read them. Both return their number.
  std::size_t add_terms(std::size_t places, std::vector<std::uint32_t> terms);
  std::size_t add_row(std::size_t terms, std::uint32_t ciphertext);

  // The P weights of a row's column, which is a term of its list.
  void read(std::size_t row, std::size_t column, std::span<float> out) const;
  // The same, where only blocks that have a weight count: visit(q, weight) for each of them.
  template <typename Visit>
  void for_each(std::size_t row, std::size_t column, Visit&& visit) const;
  // Of any ciphertext and term: visit(q, weight) for the blocks that have one, until it returns false.
  template <typename Visit>
  void for_each(const WeightPlaces& places, std::size_t term, std::uint32_t ciphertext, Visit&& visit) const;

 private:
  struct Terms {
    std::size_t places = 0;
    std::vector<std::uint32_t> terms;
  };
  struct RowOf {
    std::uint32_t terms = 0, ciphertext = 0;
  };

  std::uint32_t blocks_ = 1;
  const float* weights_ = nullptr;
  std::vector<std::size_t> row_;
  std::vector<WeightPlaces> places_;
  std::vector<Terms> terms_;
  std::vector<RowOf> rows_;
};

template <typename Visit>
void BlockWeights::for_each(const WeightPlaces& places, std::size_t term, std::uint32_t ciphertext,
                            Visit&& visit) const {
  const auto* row = row_.data() + std::size_t{ciphertext} * blocks_;
  for (const auto& [p, index] : places.of(term))
    if (!visit(shifted_block(p, places.giant[term], blocks_), weights_[row[p] + index])) return;
}

template <typename Visit>
void BlockWeights::for_each(std::size_t row, std::size_t column, Visit&& visit) const {
  const auto& [terms, ciphertext] = rows_[row];
  const auto& list = terms_[terms];
  for_each(places_[list.places], list.terms[column], ciphertext, [&](std::uint32_t q, float w) {
    visit(q, w);
    return true;
  });
}

}  // namespace velum::plan
