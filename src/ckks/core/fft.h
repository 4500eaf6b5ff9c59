// The complex transform behind the encoder: evaluation modulo X^m - i at the m points exp(2 pi i e / 4m), e =
// 1 mod 4, by the same tree of splits as the NTT (kernels/types.h). Real and imaginary parts in separate
// arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace velum::ckks {

class ComplexTransform {
 public:
  explicit ComplexTransform(std::size_t m);  // a power of two
  std::size_t size() const { return m_; }
  // In place. Coefficients to evaluations, leaf k holding the point with exponent `exponent(k)`.
  void forward(double* re, double* im) const;
  // The inverse, times m.
  void inverse_unscaled(double* re, double* im) const;
  // leaf_of_slot()[j] is the leaf whose exponent is 5^j mod 4m.
  const std::vector<std::uint32_t>& leaf_of_slot() const { return leaf_of_slot_; }

 private:
  std::size_t m_;
  std::vector<double> root_re_, root_im_;  // of node k, as in kernels::NttTables
  std::vector<std::uint32_t> leaf_of_slot_;
};

}  // namespace velum::ckks
