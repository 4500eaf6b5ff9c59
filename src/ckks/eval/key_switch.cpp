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
  // `scratch` has limbs + digits limbs.
  KeyProduct(const EvaluatorConstants& s, ConstView in, std::size_t poly, const SwitchKey& key, u64* scratch)
      : s_(s),
        in_(in),
        poly_(poly),
        key_(key),
        digits_(digits_at(s, in.limbs)),
        coefficients_(scratch),
        lifted_(scratch + in.limbs * s.n) {
    for (std::size_t i = 0; i < in.limbs; ++i) {
      std::copy_n(in.limb(poly, i), s.n, coefficient_limb(i));
      kernels::table().ntt_inverse(coefficient_limb(i), s.ntt(i));
    }
  }

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

  // Digit d modulo modulus m, NTT form. Its own moduli hold it already: there the input serves as it is.
  const u64* digit_at(std::size_t d, std::size_t m) const {
    const std::size_t begin = d * s_.alpha, end = std::min(begin + s_.alpha, in_.limbs);
    if (m >= begin && m < end) return in_.limb(poly_, m);
    std::array<const u64*, kMaxDigits> sources;
    for (std::size_t i = begin; i < end; ++i) sources[i - begin] = coefficient_limb(i);
    u64* out = lifted_ + d * s_.n;
    const auto& lift = s_.digit_lift[d * s_.alpha + (end - begin) - 1];
    kernels::table().base_convert(&out, sources.data(), s_.n, lift.to(m));
    kernels::table().ntt_forward(out, s_.ntt(m));
    return out;
  }

  const EvaluatorConstants& s_;
  ConstView in_;
  std::size_t poly_;
  const SwitchKey& key_;
  std::size_t digits_;
  u64* coefficients_;
  u64* lifted_;
};

// The remainder modulo the divisor's moduli, in coefficients, one array each.
using Remainder = std::array<const u64*, kMaxDigits + 1>;

// out = (t - remainder) / divisor at modulus j, NTT form. `lift` is a limb of scratch, and may be out.
void divide_at(const EvaluatorConstants& s, u64* out, const u64* t, const Remainder& remainder,
               const Division& division, std::size_t j, u64* lift) {
  const auto& k = kernels::table();
  k.base_convert(&lift, remainder.data(), s.n, division.lift.to(j));
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
// [1].
std::size_t Evaluator::scratch_words(std::size_t limbs) const {
  return (limbs + digits_at(*state_, limbs) + 2 * (state_->alpha + 1) + 3) * state_->n;
}

void Evaluator::relinearise(View out, ConstView in, const SwitchKey& key, u64* scratch) const {
  const State& s = *state_;
  check_relinearise(s, out, in, key, in.limbs);
  const auto& k = kernels::table();
  const KeyProduct product(s, in, 2, key, scratch);
  u64* special = scratch + (in.limbs + digits_at(s, in.limbs)) * s.n;
  u64* work = special + 2 * s.alpha * s.n;
  u64* lift = work + 2 * s.n;

  std::array<Remainder, 2> remainder;
  for (std::size_t i = 0; i < s.alpha; ++i) {
    u64* at[2] = {special + 2 * i * s.n, special + (2 * i + 1) * s.n};
    product.at(s.limbs + i, at[0], at[1]);
    for (std::size_t p = 0; p < 2; ++p) {
      k.ntt_inverse(at[p], s.ntt(s.limbs + i));
      remainder[p][i] = at[p];
    }
  }
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
    const Remainder remainder = {scratch};
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
  u64* divisor = scratch + (in.limbs + digits_at(s, in.limbs)) * s.n;
  u64* work = divisor + 2 * (s.alpha + 1) * s.n;
  u64* lift = work + 2 * s.n;
  const auto add_lower = [&](u64* t, std::size_t p, std::size_t j) {
    k.multiply_scalar_add(t, in.limb(p, j), s.p_mod_q[j], s.n, s.modulus(j));
  };

  std::array<Remainder, 2> remainder;
  for (std::size_t i = 0; i <= s.alpha; ++i) {
    const std::size_t m = i < s.alpha ? s.limbs + i : last;
    u64* at[2] = {divisor + 2 * i * s.n, divisor + (2 * i + 1) * s.n};
    product.at(m, at[0], at[1]);
    for (std::size_t p = 0; p < 2; ++p) {
      if (i == s.alpha) add_lower(at[p], p, last);
      k.ntt_inverse(at[p], s.ntt(m));
      remainder[p][i] = at[p];
    }
  }
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
