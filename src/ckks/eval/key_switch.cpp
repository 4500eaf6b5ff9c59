// Relinearisation and rescaling.
//
// Key switching: c2 is cut into digits of alpha consecutive moduli, each the centred integer x_d that its
// residues stand for. x_d is lifted to all other moduli and the special primes, and sum_d x_d (b_d, a_d)
// decrypts to P c2 s^2 + sum_d x_d e_d. Dividing by P leaves c2 s^2 with little noise, as P is no smaller
// than a digit.
//
// Division by M (P, the last modulus, or both at once): with r the remainder of t modulo M, centred, t - r is
// a multiple of M, and the quotient is t / M rounded to nearest.
//
// The work goes modulus by modulus: digits are lifted to one modulus, multiplied with the key's row there,
// and the result is divided, before the next modulus comes. The divisor's own moduli go first. So the scratch
// memory is a few limbs, which mostly stay in the second-level cache.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "ckks/eval/state.h"

namespace velum::ckks {

namespace {

constexpr std::size_t kMaxDigits = 64;  // parameters have at most 64 moduli

std::size_t digits_at(const EvaluatorConstants& s, std::size_t limbs) {
  return s.alpha ? (limbs + s.alpha - 1) / s.alpha : 0;
}

// The inner product of one polynomial's digits with a key, at any one modulus.
class KeyProduct {
 public:
  // `scratch` has limbs + digits limbs, and n bytes for each digit.
  KeyProduct(const EvaluatorConstants& s, ConstView in, std::size_t poly, const SwitchKey& key, u64* scratch)
      : s_(s),
        in_(in),
        poly_(poly),
        key_(key),
        digits_(digits_at(s, in.limbs)),
        coefficients_(scratch),
        lifted_(scratch + in.limbs * s.n),
        quotients_(reinterpret_cast<std::uint8_t*>(lifted_ + digits_ * s.n)) {
    for (std::size_t i = 0; i < in.limbs; ++i) {
      std::copy_n(in.limb(poly, i), s.n, coefficient_limb(i));
      kernels::table().ntt_inverse(coefficient_limb(i), s.ntt(i));
    }
    for (std::size_t d = 0; d < digits_; ++d) {
      const auto x = coefficients_of(d);
      kernels::table().base_scale(x.data(), quotients_ + d * s.n, x.data(), s.n, lift_of(d).view());
    }
  }

  // The scratch memory behind what is used here.
  u64* end() const { return reinterpret_cast<u64*>(quotients_ + (digits_ * s_.n + 7) / 8 * 8); }

  // Both polynomials of the result at modulus m (special primes from params.limbs() on).
  void at(std::size_t m, u64* out0, u64* out1) const {
    const auto& k = kernels::table();
    const std::size_t row = m < s_.limbs ? m : key_.limbs + m - s_.limbs;
    std::array<const u64*, kMaxDigits> x, b, a;
    for (std::size_t d = 0; d < digits_; ++d) {
      x[d] = digit_at(d, m);
      b[d] = key_.b[d].data() + row * s_.n;
      a[d] = key_.a[d].data() + row * s_.n;
    }
    k.key_product(out0, out1, x.data(), b.data(), a.data(), digits_, s_.n, s_.modulus(m));
  }

 private:
  u64* coefficient_limb(std::size_t i) const { return coefficients_ + i * s_.n; }
  std::size_t moduli_of(std::size_t d) const { return std::min(s_.alpha, in_.limbs - d * s_.alpha); }
  const ring::BaseConversion& lift_of(std::size_t d) const {
    return s_.digit_lift[d * s_.alpha + moduli_of(d) - 1];
  }
  std::array<u64*, kMaxDigits> coefficients_of(std::size_t d) const {
    std::array<u64*, kMaxDigits> x;
    for (std::size_t i = 0; i < moduli_of(d); ++i) x[i] = coefficient_limb(d * s_.alpha + i);
    return x;
  }

  // Digit d modulo modulus m, NTT form. Its own moduli hold it already: there the input serves as it is.
  const u64* digit_at(std::size_t d, std::size_t m) const {
    const std::size_t begin = d * s_.alpha, end = std::min(begin + s_.alpha, in_.limbs);
    if (m >= begin && m < end) return in_.limb(poly_, m);
    u64* out = lifted_ + d * s_.n;
    const auto y = coefficients_of(d);
    kernels::table().base_sum(out, y.data(), quotients_ + d * s_.n, s_.n, lift_of(d).view(), m);
    kernels::table().ntt_forward(out, s_.ntt(m));
    return out;
  }

  const EvaluatorConstants& s_;
  ConstView in_;
  std::size_t poly_;
  const SwitchKey& key_;
  std::size_t digits_;
  u64* coefficients_;  // scaled for the lift of their digit
  u64* lifted_;
  std::uint8_t* quotients_;  // [digits][n]
};

// The remainder modulo the divisor's moduli, in coefficients, one array each, scaled for its lift; n
// quotients.
struct Remainder {
  std::array<u64*, kMaxDigits + 1> at;
  std::uint8_t* quotient = nullptr;
};
void scale(const EvaluatorConstants& s, const Remainder& r, const Division& division) {
  kernels::table().base_scale(r.at.data(), r.quotient, r.at.data(), s.n, division.lift.view());
}

// out = (t - remainder) / divisor at modulus j, NTT form. `lift` is a limb of scratch, and may be out.
void divide_at(const EvaluatorConstants& s, u64* out, const u64* t, const Remainder& remainder,
               const Division& division, std::size_t j, u64* lift) {
  const auto& k = kernels::table();
  k.base_sum(lift, remainder.at.data(), remainder.quotient, s.n, division.lift.view(), j);
  k.ntt_forward(lift, s.ntt(j));
  k.subtract_multiply_scalar(out, t, lift, division.inverse[j], s.n, s.modulus(j));
}

void check_relinearise(const EvaluatorConstants& s, View out, ConstView in, const SwitchKey& key,
                       std::size_t out_limbs) {
  if (in.polys != 3 || in.limbs > key.limbs || in.limbs > s.limbs || out.polys < 2 ||
      out.limbs != out_limbs || in.n != s.n || out.n != s.n || s.alpha == 0)
    fail_user(
        "relinearise: {} polynomials of {} limbs into {} of {}; 3 of at most {} limbs (the key's height) "
        "into 2 of {} "
        "are possible",
        in.polys, in.limbs, out.polys, out.limbs, key.limbs, out_limbs);
}

}  // namespace

// Scratch: the switched polynomial's coefficients [limbs] and lifted digits [digits], both polynomials of the
// result at the divisor's moduli [2 (alpha + 1)] and at the modulus in work [2], and the remainder's lift
// [1], in limbs; and a byte a coefficient for each digit and both remainders.
std::size_t Evaluator::scratch_words(std::size_t limbs) const {
  const std::size_t digits = digits_at(*state_, limbs), bytes = (digits + 2) * state_->n;
  return (limbs + digits + 2 * (state_->alpha + 1) + 3) * state_->n + (bytes + 7) / 8;
}

void Evaluator::relinearise(View out, ConstView in, const SwitchKey& key, u64* scratch) const {
  const State& s = *state_;
  check_relinearise(s, out, in, key, in.limbs);
  const auto& k = kernels::table();
  const KeyProduct product(s, in, 2, key, scratch);
  u64* special = product.end();
  u64* work = special + 2 * s.alpha * s.n;
  u64* lift = work + 2 * s.n;
  auto* quotients = reinterpret_cast<std::uint8_t*>(lift + s.n);

  std::array<Remainder, 2> remainder{{{{}, quotients}, {{}, quotients + s.n}}};
  for (std::size_t i = 0; i < s.alpha; ++i) {
    u64* at[2] = {special + 2 * i * s.n, special + (2 * i + 1) * s.n};
    product.at(s.limbs + i, at[0], at[1]);
    for (std::size_t p = 0; p < 2; ++p) {
      k.ntt_inverse(at[p], s.ntt(s.limbs + i));
      remainder[p].at[i] = at[p];
    }
  }
  for (const auto& r : remainder) scale(s, r, s.mod_down[0]);
  for (std::size_t j = 0; j < in.limbs; ++j) {
    product.at(j, work, work + s.n);
    for (std::size_t p = 0; p < 2; ++p) {
      divide_at(s, lift, work + p * s.n, remainder[p], s.mod_down[0], j, lift);
      k.add(out.limb(p, j), in.limb(p, j), lift, s.n, s.modulus(j));
    }
  }
}

void Evaluator::rescale(View out, ConstView in, u64* scratch) const {
  const State& s = *state_;
  if (in.polys != 2 || out.polys != 2 || in.limbs < 2 || in.limbs > s.limbs || out.limbs != in.limbs - 1)
    fail_user("rescale: {} polynomials of {} limbs into {} of {}; 2 into 2, one limb fewer, are possible",
              in.polys, in.limbs, out.polys, out.limbs);
  const std::size_t last = in.limbs - 1;
  for (std::size_t p = 0; p < 2; ++p) {
    std::copy_n(in.limb(p, last), s.n, scratch);
    kernels::table().ntt_inverse(scratch, s.ntt(last));
    const Remainder remainder{{scratch}, reinterpret_cast<std::uint8_t*>(scratch + 2 * s.n)};
    scale(s, remainder, s.rescale[last]);
    for (std::size_t j = 0; j < last; ++j)
      divide_at(s, out.limb(p, j), in.limb(p, j), remainder, s.rescale[last], j, scratch + s.n);
  }
}

// t = P c + (switched c2) at all moduli and special primes, where P c vanishes; then t / (P q_last).
void Evaluator::relinearise_rescale(View out, ConstView in, const SwitchKey& key, u64* scratch) const {
  const State& s = *state_;
  check_relinearise(s, out, in, key, in.limbs - 1);
  if (in.limbs < 2) fail_user("rescale: a ciphertext of one limb cannot be rescaled");
  const auto& k = kernels::table();
  const std::size_t last = in.limbs - 1;
  const KeyProduct product(s, in, 2, key, scratch);
  u64* divisor = product.end();
  u64* work = divisor + 2 * (s.alpha + 1) * s.n;
  u64* lift = work + 2 * s.n;
  auto* quotients = reinterpret_cast<std::uint8_t*>(lift + s.n);
  const auto add_lower = [&](u64* t, std::size_t p, std::size_t j) {
    k.multiply_scalar_add(t, in.limb(p, j), s.p_mod_q[j], s.n, s.modulus(j));
  };

  std::array<Remainder, 2> remainder{{{{}, quotients}, {{}, quotients + s.n}}};
  for (std::size_t i = 0; i <= s.alpha; ++i) {
    const std::size_t m = i < s.alpha ? s.limbs + i : last;
    u64* at[2] = {divisor + 2 * i * s.n, divisor + (2 * i + 1) * s.n};
    product.at(m, at[0], at[1]);
    for (std::size_t p = 0; p < 2; ++p) {
      if (i == s.alpha) add_lower(at[p], p, last);
      k.ntt_inverse(at[p], s.ntt(m));
      remainder[p].at[i] = at[p];
    }
  }
  for (const auto& r : remainder) scale(s, r, s.fused[last]);
  for (std::size_t j = 0; j < last; ++j) {
    product.at(j, work, work + s.n);
    for (std::size_t p = 0; p < 2; ++p) {
      u64* t = work + p * s.n;
      add_lower(t, p, j);
      divide_at(s, out.limb(p, j), t, remainder[p], s.fused[last], j, lift);
    }
  }
}

}  // namespace velum::ckks
