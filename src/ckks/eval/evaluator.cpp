#include "ckks/eval/evaluator.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "ckks/eval/state.h"
#include "ring/primes.h"

namespace velum::ckks {

namespace {

std::vector<std::size_t> range(std::size_t begin, std::size_t end) {
  std::vector<std::size_t> r(end - begin);
  std::iota(r.begin(), r.end(), begin);
  return r;
}

u64 product_mod(const ring::Ring& ring, std::span<const std::size_t> moduli, u64 q) {
  u64 p = 1;
  for (const std::size_t i : moduli)
    p = static_cast<u64>(static_cast<kernels::u128>(p) * (ring.q(i) % q) % q);
  return p;
}

// Operands need every limb of the result; a polynomial that one lacks is zero, one that both lack is not
// there.
void check_operands(const char* operation, View out, ConstView a, ConstView b) {
  for (const ConstView& in : {a, b})
    if (in.n != out.n || in.limbs < out.limbs || in.polys > out.polys)
      fail_user(
          "{}: an operand of {} polynomials, {} limbs and dimension {}, a result of {}, {} and {}; give "
          "operands of "
          "its dimension, with as many limbs and no more polynomials",
          operation, in.polys, in.limbs, in.n, out.polys, out.limbs, out.n);
  if (out.polys > std::max(a.polys, b.polys))
    fail_user(
        "{}: a result of {} polynomials from operands of {} and {}; give a result of as many as the larger",
        operation, out.polys, a.polys, b.polys);
}

u64 residue(std::int64_t w, u64 q) {
  const auto r = w % static_cast<std::int64_t>(q);
  return static_cast<u64>(r < 0 ? r + static_cast<std::int64_t>(q) : r);
}

}  // namespace

EvaluatorConstants::EvaluatorConstants(const Parameters& p)
    : params(p), n(p.n()), limbs(p.limbs()), alpha(p.special_count()) {
  const ring::Ring& ring = params.ring();
  const auto division = [&](std::span<const std::size_t> sources, std::size_t targets) {
    Division d{ring::BaseConversion(ring, sources, range(0, targets)), {}};
    for (std::size_t j = 0; j < targets; ++j)
      d.inverse.push_back(kernels::make_factor(
          ring::inverse_mod(product_mod(ring, sources, ring.q(j)), ring.q(j)), ring.modulus(j)));
    return d;
  };
  const auto special = range(limbs, limbs + alpha), all = range(0, limbs + alpha);
  for (std::size_t k = 1; k <= limbs; ++k) rescale.push_back(division(range(k - 1, k), k - 1));
  if (alpha == 0) return;
  mod_down.push_back(division(special, limbs));
  for (std::size_t k = 1; k <= limbs; ++k) {
    auto sources = special;
    sources.push_back(k - 1);
    fused.push_back(division(sources, k - 1));
  }
  for (std::size_t begin = 0; begin < limbs; begin += alpha)
    for (std::size_t r = 1; r <= alpha; ++r)
      digit_lift.emplace_back(ring, range(begin, std::min(begin + r, limbs)), all);
  for (std::size_t i = 0; i < limbs; ++i)
    p_mod_q.push_back(kernels::make_factor(product_mod(ring, special, ring.q(i)), ring.modulus(i)));
}

Evaluator::Evaluator(const Parameters& params) : state_(std::make_unique<State>(params)) {}
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator::~Evaluator() = default;

const Parameters& Evaluator::params() const {
  return state_->params;
}

void Evaluator::add(View out, ConstView a, ConstView b) const {
  check_operands("add", out, a, b);
  const auto& k = kernels::table();
  for (std::size_t p = 0; p < out.polys; ++p)
    for (std::size_t l = 0; l < out.limbs; ++l) {
      if (p < a.polys && p < b.polys)
        k.add(out.limb(p, l), a.limb(p, l), b.limb(p, l), out.n, state_->modulus(l));
      else
        std::copy_n(p < a.polys ? a.limb(p, l) : b.limb(p, l), out.n, out.limb(p, l));
    }
}

void Evaluator::subtract(View out, ConstView a, ConstView b) const {
  check_operands("subtract", out, a, b);
  const auto& k = kernels::table();
  for (std::size_t p = 0; p < out.polys; ++p)
    for (std::size_t l = 0; l < out.limbs; ++l) {
      if (p < a.polys && p < b.polys)
        k.subtract(out.limb(p, l), a.limb(p, l), b.limb(p, l), out.n, state_->modulus(l));
      else if (p < a.polys)
        std::copy_n(a.limb(p, l), out.n, out.limb(p, l));
      else
        k.negate(out.limb(p, l), b.limb(p, l), out.n, state_->modulus(l));
    }
}

void Evaluator::multiply_scalar(View out, ConstView a, std::int64_t w) const {
  const auto& k = kernels::table();
  for (std::size_t l = 0; l < out.limbs; ++l) {
    const auto& m = state_->modulus(l);
    const auto factor = kernels::make_factor(residue(w, m.q), m);
    for (std::size_t p = 0; p < out.polys; ++p)
      k.multiply_scalar(out.limb(p, l), a.limb(p, l), factor, out.n, m);
  }
}

// A constant polynomial has the same value at every point.
void Evaluator::add_scalar(View out, std::int64_t w) const {
  const auto& k = kernels::table();
  for (std::size_t l = 0; l < out.limbs; ++l) {
    const auto& m = state_->modulus(l);
    k.add_scalar(out.limb(0, l), out.limb(0, l), residue(w, m.q), out.n, m);
  }
}

void Evaluator::square(View out, ConstView in) const {
  const auto& k = kernels::table();
  for (std::size_t l = 0; l < out.limbs; ++l)
    k.square_terms(out.limb(0, l), out.limb(1, l), out.limb(2, l), in.limb(0, l), in.limb(1, l), out.n,
                   state_->modulus(l));
}

void Evaluator::multiply(View out, ConstView a, ConstView b) const {
  const auto& k = kernels::table();
  for (std::size_t l = 0; l < out.limbs; ++l) {
    const auto& m = state_->modulus(l);
    k.multiply(out.limb(0, l), a.limb(0, l), b.limb(0, l), out.n, m);
    k.multiply(out.limb(2, l), a.limb(1, l), b.limb(1, l), out.n, m);
    k.multiply(out.limb(1, l), a.limb(0, l), b.limb(1, l), out.n, m);
    k.multiply_add(out.limb(1, l), a.limb(1, l), b.limb(0, l), out.n, m);
  }
}

}  // namespace velum::ckks
