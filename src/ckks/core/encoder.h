// Slots to polynomials and back.
//
// Slot j is the evaluation at zeta^(5^j): the orbit of X -> X^5, so that a rotation shifts all slots by one
// place. Both rings use one complex transform of `slots` points modulo X^slots - i; they differ in the fold
// before it (standard: a_j + i a_{j+N/2}; real: a_j - i a_{N-j}), exactly as the NTT does.
#pragma once

#include <memory>
#include <span>

#include "ckks/core/parameters.h"

namespace velum::ckks {

class Encoder {
 public:
  Encoder(RingType type, std::size_t n);
  std::size_t slots() const;
  // coefficients[i] = nearest integer to scale * (inverse transform of values); missing values count as zero.
  // |values| * scale must stay below 2^62; throws Error(user) on a non-finite value.
  void encode(std::span<std::int64_t> coefficients, std::span<const double> values, double scale) const;
  // values[j] = (evaluation of the coefficients at slot j) / scale; coefficients as reals.
  void decode(std::span<double> values, std::span<const double> coefficients, double scale) const;

 private:
  struct Tables;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace velum::ckks
