// Key switching's first half: the digits of a polynomial, lifted to any modulus, and their product with a
// key. Private to this folder.
#pragma once

#include <algorithm>
#include <array>

#include "ckks/eval/state.h"

namespace velum::ckks {

// The digits of one polynomial, lifted to a modulus when they are asked for.
class Digits {
 public:
  // `scratch` has limbs + digits limbs, and n bytes for each digit.
  Digits(const EvaluatorConstants& s, ConstView in, std::size_t poly, u64* scratch);

  std::size_t count() const { return count_; }
  // The scratch memory behind what is used here.
  u64* end() const { return reinterpret_cast<u64*>(quotients_ + (count_ * s_.n + 7) / 8 * 8); }

  bool holds(std::size_t d, std::size_t m) const {
    return m >= d * s_.alpha && m < d * s_.alpha + moduli_of(d);
  }
  // Digit d modulo modulus m (special primes from params.limbs() on), NTT form, written to `out`; where the
  // digit's own moduli hold it already, the input itself is returned.
  const u64* lift(std::size_t d, std::size_t m, u64* out) const;
  const u64* at(std::size_t d, std::size_t m) const { return lift(d, m, lifted_ + d * s_.n); }

 private:
  u64* coefficient_limb(std::size_t i) const { return coefficients_ + i * s_.n; }
  std::size_t moduli_of(std::size_t d) const { return std::min(s_.alpha, in_.limbs - d * s_.alpha); }
  const ring::BaseConversion& lift_of(std::size_t d) const {
    return s_.digit_lift[d * s_.alpha + moduli_of(d) - 1];
  }
  std::array<u64*, kernels::kMaxKeyDigits> coefficients_of(std::size_t d) const;

  const EvaluatorConstants& s_;
  ConstView in_;
  std::size_t poly_;
  std::size_t count_;
  u64* coefficients_;  // scaled for the lift of their digit
  u64* lifted_;
  std::uint8_t* quotients_;  // [digits][n]
};

// Both polynomials of the inner product of digits with a key at modulus m; `digit(d)` is digit d there.
template <typename Digit>
void key_product_at(const EvaluatorConstants& s, const SwitchKey& key, std::size_t digits, std::size_t m,
                    const Digit& digit, u64* out0, u64* out1) {
  const std::size_t row = m < s.limbs ? m : key.limbs + m - s.limbs;
  std::array<const u64*, kernels::kMaxKeyDigits> x, b, a;
  for (std::size_t d = 0; d < digits; ++d) {
    x[d] = digit(d);
    b[d] = key.b[d].data() + row * s.n;
    a[d] = key.a[d].data() + row * s.n;
  }
  kernels::table().key_product(out0, out1, x.data(), b.data(), a.data(), digits, s.n, s.modulus(m));
}

}  // namespace velum::ckks
