#include "plan/lower/block_weights.h"

#include <algorithm>
#include <utility>

namespace velum::plan {

std::size_t BlockWeights::add_places(WeightPlaces places) {
  places_.push_back(std::move(places));
  return places_.size() - 1;
}

std::size_t BlockWeights::add_terms(std::size_t places, std::vector<std::uint32_t> terms) {
  terms_.push_back({places, std::move(terms)});
  return terms_.size() - 1;
}

std::size_t BlockWeights::add_row(std::size_t terms, std::uint32_t ciphertext) {
  rows_.push_back({static_cast<std::uint32_t>(terms), ciphertext});
  return rows_.size() - 1;
}

void BlockWeights::read(std::size_t row, std::size_t column, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0F);
  for_each(row, column, [&](std::uint32_t q, float w) { out[q] = w; });
}

}  // namespace velum::plan
