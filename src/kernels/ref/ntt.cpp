// Number-theoretic transform: level l splits each of its 2^l blocks X^m - r^2 into X^{m/2} - r and X^{m/2} +
// r.
#include "kernels/ref/arithmetic.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::ref {
namespace {

void fold(u64* x, const NttTables& t) {
  const u64 q = t.modulus.q;
  const auto times_psi = [&](u64 a) { return multiply_factor(a, t.psi.value, t.psi.quotient64, q); };
  for (std::size_t i = 1; i <= t.n / 2; ++i) {
    const u64 a = x[i], b = x[t.n - i];
    x[i] = subtract_mod(a, times_psi(b), q);
    x[t.n - i] = subtract_mod(b, times_psi(a), q);
  }
}

// Twice the inverse of fold; the halving is part of n_inverse.
void unfold(u64* x, const NttTables& t) {
  const u64 q = t.modulus.q;
  const auto times_psi = [&](u64 a) { return multiply_factor(a, t.psi.value, t.psi.quotient64, q); };
  x[0] = add_mod(x[0], x[0], q);
  for (std::size_t i = 1; i <= t.n / 2; ++i) {
    const u64 a = x[i], b = x[t.n - i];
    x[i] = add_mod(a, times_psi(b), q);
    x[t.n - i] = add_mod(b, times_psi(a), q);
  }
}

}  // namespace

void ntt_forward(u64* x, const NttTables& t) {
  const u64 q = t.modulus.q;
  if (t.fold) fold(x, t);
  for (std::size_t blocks = 1, half = t.n / 2; half > 0; blocks *= 2, half /= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const u64 r = t.roots[blocks + i], quotient = t.roots_quotient64[blocks + i];
      u64* low = x + 2 * half * i;
      u64* high = low + half;
      for (std::size_t j = 0; j < half; ++j) {
        const u64 p = multiply_factor(high[j], r, quotient, q), a = low[j];
        low[j] = add_mod(a, p, q);
        high[j] = subtract_mod(a, p, q);
      }
    }
  }
}

void ntt_inverse(u64* x, const NttTables& t) {
  const u64 q = t.modulus.q;
  for (std::size_t blocks = t.n / 2, half = 1; blocks > 0; blocks /= 2, half *= 2) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const u64 r = t.inverse_roots[blocks + i], quotient = t.inverse_roots_quotient64[blocks + i];
      u64* low = x + 2 * half * i;
      u64* high = low + half;
      for (std::size_t j = 0; j < half; ++j) {
        const u64 u = low[j], v = high[j];
        low[j] = add_mod(u, v, q);
        high[j] = multiply_factor(u + q - v, r, quotient, q);
      }
    }
  }
  if (t.fold) unfold(x, t);
  for (std::size_t i = 0; i < t.n; ++i)
    x[i] = multiply_factor(x[i], t.n_inverse.value, t.n_inverse.quotient64, q);
}

}  // namespace velum::kernels::ref
