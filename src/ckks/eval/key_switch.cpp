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
#include "ckks/core/scratch.h"
#include "ckks/eval/digits.h"
#include "ckks/eval/division.h"

namespace velum::ckks {

namespace {

// The inner product of one polynomial's digits with a key, at any one modulus.
class KeyProduct {
 public:
  KeyProduct(const EvaluatorConstants& s, ConstView in, std::size_t poly, const SwitchKey& key, u64* scratch)
      : s_(s), key_(key), digits_(s, in, poly, scratch) {}
  // The scratch memory behind what is used here.
  u64* end() const { return digits_.end(); }
  // Both polynomials of the result at modulus m (special primes from params.limbs() on).
  void at(std::size_t m, u64* out0, u64* out1) const {
    key_product_at(
        s_, key_, digits_.count(), m, [&](std::size_t d) { return digits_.at(d, m); }, out0, out1);
  }

 private:
  const EvaluatorConstants& s_;
  const SwitchKey& key_;
  Digits digits_;
};

void check_relinearise(const EvaluatorConstants& s, View out, ConstView in, const SwitchKey& key,
                       std::size_t out_limbs) {
  if (in.polys != 3 || in.limbs > key.limbs || in.limbs > s.limbs || out.polys < 2 ||
      out.limbs != out_limbs || in.n != s.n || out.n != s.n || s.alpha == 0)
    fail_user(
        "relinearise: {} polynomials of {} limbs into {} of {}; 3 of at most {} limbs (the key's height) "
        "into 2 of {} "
        "are possible",
        in.polys, in.limbs, out.polys, out.limbs, key.limbs, out_limbs);
  if (key.steps != 0)
    fail_user("relinearise: this is a key for rotations by {}; take the relinearisation key", key.steps);
}

}  // namespace

std::size_t Evaluator::scratch_words(std::size_t limbs) const {
  return ckks::scratch_words(limbs, state_->alpha, state_->n);
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
