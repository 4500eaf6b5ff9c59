#include "ckks/eval/digits.h"

namespace velum::ckks {

Digits::Digits(const EvaluatorConstants& s, ConstView in, std::size_t poly, u64* scratch)
    : s_(s),
      in_(in),
      poly_(poly),
      count_(digit_count(in.limbs, s.alpha)),
      coefficients_(scratch),
      lifted_(scratch + in.limbs * s.n),
      quotients_(reinterpret_cast<std::uint8_t*>(lifted_ + count_ * s.n)) {
  for (std::size_t i = 0; i < in.limbs; ++i) {
    std::copy_n(in.limb(poly, i), s.n, coefficient_limb(i));
    kernels::table().ntt_inverse(coefficient_limb(i), s.ntt(i));
  }
  for (std::size_t d = 0; d < count_; ++d) {
    const auto x = coefficients_of(d);
    kernels::table().base_scale(x.data(), quotients_ + d * s.n, x.data(), s.n, lift_of(d).view());
  }
}

const u64* Digits::lift(std::size_t d, std::size_t m, u64* out) const {
  if (holds(d, m)) return in_.limb(poly_, m);
  const auto y = coefficients_of(d);
  kernels::table().base_sum(out, y.data(), quotients_ + d * s_.n, s_.n, lift_of(d).view(), m);
  kernels::table().ntt_forward(out, s_.ntt(m));
  return out;
}

std::array<u64*, kernels::kMaxKeyDigits> Digits::coefficients_of(std::size_t d) const {
  std::array<u64*, kernels::kMaxKeyDigits> x;
  for (std::size_t i = 0; i < moduli_of(d); ++i) x[i] = coefficient_limb(d * s_.alpha + i);
  return x;
}

}  // namespace velum::ckks
