// Weights that differ by block, kept as where they stand in the network of elements and read row by row:
// written out they take gigabytes, and planning looks at many layouts of which it keeps one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plan/plan.h"

namespace velum::plan {

// Where the weights of ciphertexts alike stand, by term of their sums and block.
struct WeightPlaces {
  // [terms][P]: the weight's place in the element's row of weights, kAbsent where there is none.
  std::vector<std::uint32_t> index;
  // By term: block q holds the weight of the element in block q - giant, modulo P.
  std::vector<std::int32_t> giant;
};

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
  // Of any ciphertext and term: visit(q, weight) for the blocks that have one, in order, until it returns
  // false.
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
  const auto* index = places.index.data() + term * blocks_;
  const auto* row = row_.data() + std::size_t{ciphertext} * blocks_;
  const auto blocks = static_cast<std::int64_t>(blocks_);
  auto p = static_cast<std::size_t>(((-std::int64_t{places.giant[term]}) % blocks + blocks) % blocks);
  for (std::size_t q = 0; q < blocks_; ++q, p = p + 1 == blocks_ ? 0 : p + 1)
    if (index[q] != kAbsent && !visit(q, weights_[row[p] + index[q]])) return;
}

}  // namespace velum::plan
