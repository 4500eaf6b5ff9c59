// Rotations of the slots, plain and hoisted.
//
// With g the automorphism of the rotation, a key (b, a) from s to g^-1(s) and x_d the digits of c1,
//   u0 + u1 g^-1(s) = P c1 s + noise,  (u0, u1) = sum_d x_d (b_d, a_d),
// so that (c0 + u0 / P, u1 / P) holds the message under g^-1(s), and its image under g holds the rotated
// message under s. Digits and divisions do not know the rotation: only the last step, a permutation of the
// residues, does. So the digits of a ciphertext, lifted once, serve all its rotations, with the same bits as
// one rotation at a time.
//
// A sum of rotations is kept over QP: the images g_r(P c0 + u0, u1) are added, and the sum is divided by P
// once. Its rounding error is that of one division.
#include "ckks/eval/division.h"

#include "base/error.h"
#include "ckks/core/scratch.h"
#include "ring/automorphism.h"

namespace velum::ckks {

namespace {

void check_rotation(const EvaluatorConstants& s, ConstView in, const SwitchKey& key,
                    const ring::Rotation& by) {
  if (in.polys != 2 || in.limbs > key.limbs || in.limbs > s.limbs || in.n != s.n || s.alpha == 0)
    fail_user("rotate: {} polynomials of {} limbs; 2 of at most {} limbs (the key's height) are possible",
              in.polys, in.limbs, key.limbs);
  if (by.n() != s.n) fail_user("rotate: a rotation of ring dimension {} in a ring of {}", by.n(), s.n);
  if (key.steps == 0 || key.steps != by.steps())
    fail_user("rotate: a rotation by {} with the key for rotations by {}; take the key of that rotation",
              by.steps(), key.steps);
}

void check_result(View out, ConstView in) {
  if (out.polys != 2 || out.n != in.n || out.limbs == 0 ||
      (out.limbs != in.limbs && out.limbs + 1 != in.limbs))
    fail_user(
        "rotate: the result has {} polynomials of {} limbs; 2 of {}, or of one limb fewer, are possible",
        out.polys, out.limbs, in.limbs);
}

const Division& division_for(const EvaluatorConstants& s, View out, std::size_t limbs) {
  return out.limbs == limbs ? s.mod_down[0] : s.fused[limbs - 1];
}
std::size_t divisors(const EvaluatorConstants& s, View out, std::size_t limbs) {
  return s.alpha + limbs - out.limbs;
}
// The i-th modulus of the divisor: the special primes, then the last modulus where that goes too.
std::size_t divisor(const EvaluatorConstants& s, std::size_t limbs, std::size_t i) {
  return i < s.alpha ? s.limbs + i : limbs - 1;
}

// out = g((P c + u) / divisor), with product(m, t0, t1) the key product u at modulus m. `scratch`: 2 (alpha +
// 1) + 3 limbs and 2 n bytes.
template <typename Product>
void finish_rotation(const EvaluatorConstants& s, View out, ConstView in, const Product& product,
                     const ring::Rotation& by, u64* scratch) {
  const auto& k = kernels::table();
  const Division& division = division_for(s, out, in.limbs);
  const std::size_t count = divisors(s, out, in.limbs);
  u64* work = scratch + 2 * count * s.n;
  u64* lift = work + 2 * s.n;
  auto* quotients = reinterpret_cast<std::uint8_t*>(lift + s.n);
  const bool rescales = out.limbs < in.limbs;

  std::array<Remainder, 2> remainder{{{{}, quotients}, {{}, quotients + s.n}}};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t m = divisor(s, in.limbs, i);
    u64* at[2] = {scratch + 2 * i * s.n, scratch + (2 * i + 1) * s.n};
    product(m, at[0], at[1]);
    if (m < s.limbs) k.multiply_scalar_add(at[0], in.limb(0, m), s.p_mod_q[m], s.n, s.modulus(m));
    for (std::size_t p = 0; p < 2; ++p) {
      k.ntt_inverse(at[p], s.ntt(m));
      remainder[p].at[i] = at[p];
    }
  }
  for (const auto& r : remainder) scale(s, r, division);
  for (std::size_t j = 0; j < out.limbs; ++j) {
    product(j, work, work + s.n);
    if (rescales) k.multiply_scalar_add(work, in.limb(0, j), s.p_mod_q[j], s.n, s.modulus(j));
    for (std::size_t p = 0; p < 2; ++p) {
      divide_at(s, lift, work + p * s.n, remainder[p], division, j, lift);
      if (p == 0 && !rescales) k.add(lift, in.limb(0, j), lift, s.n, s.modulus(j));  // P c0 / P
      k.permute(out.limb(p, j), lift, by.source().data(), s.n);
    }
  }
}

// The place of digit d at modulus m among the lifted digits that `Decomposed` holds, in limbs: modulus by
// modulus, in the order of the moduli 0..limbs-1 and the special primes; none where the digit's own moduli
// hold it.
std::size_t lifted_place(const EvaluatorConstants& s, std::size_t limbs, std::size_t d, std::size_t m) {
  const std::size_t digits = digit_count(limbs, s.alpha);
  if (m >= s.limbs) return limbs * (digits - 1) + (m - s.limbs) * digits + d;
  return m * (digits - 1) + d - (d > m / s.alpha ? 1 : 0);
}

const u64* digit_of(const EvaluatorConstants& s, const Decomposed& x, std::size_t d, std::size_t m) {
  if (m < s.limbs && m / s.alpha == d) return x.in.limb(1, m);
  return x.lifted + lifted_place(s, x.in.limbs, d, m) * s.n;
}

}  // namespace

void Evaluator::rotate(View out, ConstView in, const SwitchKey& key, const ring::Rotation& by,
                       u64* scratch) const {
  const State& s = *state_;
  check_rotation(s, in, key, by);
  check_result(out, in);
  const Digits digits(s, in, 1, scratch);
  const auto product = [&](std::size_t m, u64* t0, u64* t1) {
    key_product_at(
        s, key, digits.count(), m, [&](std::size_t d) { return digits.at(d, m); }, t0, t1);
  };
  finish_rotation(s, out, in, product, by, digits.end());
}

std::size_t Evaluator::decomposed_words(std::size_t limbs) const {
  return ckks::decomposed_words(limbs, state_->alpha, state_->n);
}

Decomposed Evaluator::decompose(ConstView in, u64* storage, u64* scratch) const {
  const State& s = *state_;
  if (in.polys != 2 || in.limbs == 0 || in.limbs > s.limbs || in.n != s.n || s.alpha == 0)
    fail_user(
        "decompose: {} polynomials of {} limbs with {} special primes; 2 of at most {} limbs are possible",
        in.polys, in.limbs, s.alpha, s.limbs);
  const Digits digits(s, in, 1, scratch);
  for (std::size_t d = 0; d < digits.count(); ++d)
    for (std::size_t i = 0; i < in.limbs + s.alpha; ++i) {
      const std::size_t m = i < in.limbs ? i : s.limbs + i - in.limbs;
      if (!digits.holds(d, m)) digits.lift(d, m, storage + lifted_place(s, in.limbs, d, m) * s.n);
    }
  return {in, storage};
}

void Evaluator::rotate_decomposed(View out, const Decomposed& x, const SwitchKey& key,
                                  const ring::Rotation& by, u64* scratch) const {
  const State& s = *state_;
  check_rotation(s, x.in, key, by);
  check_result(out, x.in);
  const auto product = [&](std::size_t m, u64* t0, u64* t1) {
    key_product_at(
        s, key, digit_count(x.in.limbs, s.alpha), m, [&](std::size_t d) { return digit_of(s, x, d, m); }, t0,
        t1);
  };
  finish_rotation(s, out, x.in, product, by, scratch);
}

std::size_t Evaluator::extended_words(std::size_t limbs) const {
  return ckks::extended_words(limbs, state_->alpha, state_->n);
}

void Evaluator::start_extended(u64* sum, ConstView in) const {
  const State& s = *state_;
  const std::size_t rows = in.limbs + s.alpha;
  for (std::size_t p = 0; p < 2; ++p) {
    u64* poly = sum + p * rows * s.n;
    for (std::size_t j = 0; j < in.limbs; ++j)
      kernels::table().multiply_scalar(poly + j * s.n, in.limb(p, j), s.p_mod_q[j], s.n, s.modulus(j));
    std::fill_n(poly + in.limbs * s.n, s.alpha * s.n, 0);
  }
}

void Evaluator::add_rotated_extended(u64* sum, const Decomposed& x, const SwitchKey& key,
                                     const ring::Rotation& by, u64* scratch) const {
  const State& s = *state_;
  check_rotation(s, x.in, key, by);
  const auto& k = kernels::table();
  const std::size_t limbs = x.in.limbs, rows = limbs + s.alpha;
  u64* moved = scratch + 2 * s.n;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t m = i < limbs ? i : s.limbs + i - limbs;
    key_product_at(
        s, key, digit_count(limbs, s.alpha), m, [&](std::size_t d) { return digit_of(s, x, d, m); }, scratch,
        scratch + s.n);
    if (i < limbs) k.multiply_scalar_add(scratch, x.in.limb(0, i), s.p_mod_q[i], s.n, s.modulus(m));
    for (std::size_t p = 0; p < 2; ++p) {
      u64* row = sum + (p * rows + i) * s.n;
      k.permute(moved, scratch + p * s.n, by.source().data(), s.n);
      k.add(row, row, moved, s.n, s.modulus(m));
    }
  }
}

void Evaluator::divide_extended(View out, u64* sum, std::size_t limbs, u64* scratch) const {
  const State& s = *state_;
  if (out.polys != 2 || out.n != s.n || out.limbs == 0 || (out.limbs != limbs && out.limbs + 1 != limbs))
    fail_user(
        "rotate: a sum of {} limbs into {} polynomials of {}; 2 of as many limbs, or one fewer, are possible",
        limbs, out.polys, out.limbs);
  const Division& division = division_for(s, out, limbs);
  auto* quotient = reinterpret_cast<std::uint8_t*>(scratch + s.n);
  for (std::size_t p = 0; p < 2; ++p) {
    u64* poly = sum + p * (limbs + s.alpha) * s.n;
    Remainder remainder{{}, quotient};
    for (std::size_t i = 0; i < divisors(s, out, limbs); ++i) {
      const std::size_t m = divisor(s, limbs, i);
      remainder.at[i] = poly + (m < s.limbs ? m : limbs + m - s.limbs) * s.n;
      kernels::table().ntt_inverse(remainder.at[i], s.ntt(m));
    }
    scale(s, remainder, division);
    for (std::size_t j = 0; j < out.limbs; ++j)
      divide_at(s, out.limb(p, j), poly + j * s.n, remainder, division, j, scratch);
  }
}

}  // namespace velum::ckks
