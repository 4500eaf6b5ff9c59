#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {

void add(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  for (std::size_t i = 0; i < n; i += 8)
    store(out + i, p.subtract_once(_mm512_add_epi64(load(a + i), load(b + i))));
}

void subtract(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  for (std::size_t i = 0; i < n; i += 8) {
    const Words d = _mm512_sub_epi64(load(a + i), load(b + i));  // huge where negative
    store(out + i, _mm512_min_epu64(d, _mm512_add_epi64(d, p.q)));
  }
}

void negate(u64* out, const u64* a, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  for (std::size_t i = 0; i < n; i += 8) {
    const Words x = load(a + i);
    store(out + i, _mm512_maskz_sub_epi64(_mm512_test_epi64_mask(x, x), p.q, x));
  }
}

void multiply(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Barrett p(m);
  for (std::size_t i = 0; i < n; i += 8) store(out + i, p.product(load(a + i), load(b + i)));
}

void multiply_add(u64* acc, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Barrett p(m);
  for (std::size_t i = 0; i < n; i += 8) {
    store(acc + i, p.subtract_thrice(p.clear(p.add_product_of(load(acc + i), load(a + i), load(b + i)))));
  }
}

void multiply_scalar(u64* out, const u64* a, const Factor& w, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  const SplatFactor f(w);
  for (std::size_t i = 0; i < n; i += 8) {
    store(out + i,
          p.subtract_once(p.clear(p.add_product(_mm512_setzero_si512(), load(a + i), f.w, f.quotient52))));
  }
}

void multiply_scalar_add(u64* acc, const u64* a, const Factor& w, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  const SplatFactor f(w);
  for (std::size_t i = 0; i < n; i += 8) {
    store(acc + i, p.subtract_thrice(p.clear(p.add_product(load(acc + i), load(a + i), f.w, f.quotient52))));
  }
}

void add_scalar(u64* out, const u64* a, u64 w, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  const Words s = splat(w);
  for (std::size_t i = 0; i < n; i += 8) store(out + i, p.subtract_once(_mm512_add_epi64(load(a + i), s)));
}

void subtract_multiply_scalar(u64* out, const u64* a, const u64* b, const Factor& w, std::size_t n,
                              const Modulus& m) {
  const Prime p(m.q);
  const SplatFactor f(w);
  for (std::size_t i = 0; i < n; i += 8) {
    const Words d = _mm512_add_epi64(_mm512_sub_epi64(load(a + i), load(b + i)), p.q);
    store(out + i, p.subtract_once(p.clear(p.add_product(_mm512_setzero_si512(), d, f.w, f.quotient52))));
  }
}

void square_terms(u64* s0, u64* s1, u64* s2, const u64* c0, const u64* c1, std::size_t n, const Modulus& m) {
  const Barrett p(m);
  for (std::size_t i = 0; i < n; i += 8) {
    const Words a = load(c0 + i), b = load(c1 + i);
    const Words cross = p.add_product_of(_mm512_setzero_si512(), a, b);
    store(s0 + i, p.product(a, a));
    store(s1 + i, p.subtract_thrice(p.clear(_mm512_add_epi64(cross, cross))));
    store(s2 + i, p.product(b, b));
  }
}

// Eight outputs are one vector of the input, its words in another order (the permutation reads three bits of
// an index).
void permute(u64* out, const u64* in, const std::uint32_t* source, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 8) {
    const __m256i from = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(source + i));
    store(out + i, _mm512_permutexvar_epi64(_mm512_cvtepu32_epi64(from), load(in + (source[i] & ~7u))));
  }
}

namespace {

// x modulo q for |x| < 2^62: the quotient rounded from doubles is off by less than 1/2 + 2^-8, so that x - k
// q + q is in (0, 2q).
inline Words reduce_signed(Words x, const Prime& p, __m512d inverse) {
  const Words k = _mm512_cvtpd_epi64(_mm512_mul_pd(_mm512_cvtepi64_pd(x), inverse));
  return p.subtract_once(p.clear(low_product(_mm512_add_epi64(x, p.q), k, p.minus_q)));
}

}  // namespace

void from_int32(u64* out, const std::int32_t* x, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  const __m512d inverse = _mm512_set1_pd(m.inverse);
  for (std::size_t i = 0; i < n; i += 8) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    store(out + i, reduce_signed(_mm512_cvtepi32_epi64(v), p, inverse));
  }
}

void from_int64(u64* out, const std::int64_t* x, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  const __m512d inverse = _mm512_set1_pd(m.inverse);
  for (std::size_t i = 0; i < n; i += 8) store(out + i, reduce_signed(_mm512_loadu_si512(x + i), p, inverse));
}

}  // namespace velum::kernels::avx512
