// Modular arithmetic on four residues held as doubles, which are exact for integers below 2^53.
//
// A product a b is h + l exactly, h rounded and l its error (one fused multiply-add). With c the integer
// nearest to a (b/q) in doubles, h - c q is an exact integer again, so that (h - c q) + l = a b - c q is the
// exact remainder.
#pragma once

#include <immintrin.h>

#include "kernels/types.h"

namespace velum::kernels::avx2 {
namespace {

using Reals = __m256d;
using Words = __m256i;  // four 64-bit words

inline Words load(const u64* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline void store(u64* p, Words v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
}
inline Words splat(u64 v) {
  return _mm256_set1_epi64x(static_cast<long long>(v));
}
inline Reals splat_real(double v) {
  return _mm256_set1_pd(v);
}

// Integers below 2^52 to doubles and back through the mantissa of 2^52 + x; signed ones below 2^51 through 3
// 2^51 + x.
inline Reals to_reals(Words x) {
  const Reals magic = splat_real(0x1p52);
  return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(x, _mm256_castpd_si256(magic))), magic);
}
inline Words to_words(Reals x) {
  const Reals magic = splat_real(0x1p52);
  return _mm256_xor_si256(_mm256_castpd_si256(_mm256_add_pd(x, magic)), _mm256_castpd_si256(magic));
}
inline Reals nearest(Reals x) {
  return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

struct Prime {
  Reals q, inverse;
  Words q_words;

  explicit Prime(const Modulus& m)
      : q(splat_real(static_cast<double>(m.q))), inverse(splat_real(m.inverse)), q_words(splat(m.q)) {}

  // a b mod q in [-0.9 q, 0.9 q] for |a| < 2^50.1 (4.1 q at least), 0 <= b < q < 2^48, ratio = b inverse:
  // before it is rounded, c is off by three roundings of a relative 2^-53 each, together below 0.4.
  Reals product(Reals a, Reals b, Reals ratio) const {
    const Reals h = _mm256_mul_pd(a, b);
    const Reals l = _mm256_fmsub_pd(a, b, h);
    const Reals c = nearest(_mm256_mul_pd(a, ratio));
    return _mm256_add_pd(_mm256_fnmadd_pd(c, q, h), l);
  }
  Reals product(Reals a, Reals b) const { return product(a, b, _mm256_mul_pd(b, inverse)); }
  // Integers below 2^51 in size to [-0.51 q, 0.51 q].
  Reals reduce(Reals x) const { return _mm256_fnmadd_pd(nearest(_mm256_mul_pd(x, inverse)), q, x); }
  // [-q, q) to [0, q), and [0, 2q) to [0, q).
  Reals raise(Reals x) const {
    return _mm256_add_pd(x, _mm256_and_pd(_mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_LT_OQ), q));
  }
  Reals lower(Reals x) const { return _mm256_sub_pd(x, _mm256_and_pd(_mm256_cmp_pd(x, q, _CMP_GE_OQ), q)); }
};

}  // namespace
}  // namespace velum::kernels::avx2
