#include "kernels/avx2/avx2.h"
#include "kernels/avx2/doubles.h"

namespace velum::kernels::avx2 {
namespace {

inline Words raise(Words x, Words q) {  // [-q, q) to [0, q)
  return _mm256_add_epi64(x, _mm256_and_si256(_mm256_cmpgt_epi64(_mm256_setzero_si256(), x), q));
}

inline Words product(const Prime& p, Reals a, Reals b) {
  return to_words(p.raise(p.product(a, b)));
}

}  // namespace

void add(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Words q = splat(m.q);
  for (std::size_t i = 0; i < n; i += 4) {
    store(out + i, raise(_mm256_sub_epi64(_mm256_add_epi64(load(a + i), load(b + i)), q), q));
  }
}

void subtract(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Words q = splat(m.q);
  for (std::size_t i = 0; i < n; i += 4) store(out + i, raise(_mm256_sub_epi64(load(a + i), load(b + i)), q));
}

void negate(u64* out, const u64* a, std::size_t n, const Modulus& m) {
  const Words q = splat(m.q);
  for (std::size_t i = 0; i < n; i += 4)
    store(out + i, raise(_mm256_sub_epi64(_mm256_setzero_si256(), load(a + i)), q));
}

void multiply(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Prime p(m);
  for (std::size_t i = 0; i < n; i += 4)
    store(out + i, product(p, to_reals(load(a + i)), to_reals(load(b + i))));
}

void multiply_add(u64* acc, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  const Prime p(m);
  for (std::size_t i = 0; i < n; i += 4) {
    const Reals r = p.raise(p.product(to_reals(load(a + i)), to_reals(load(b + i))));
    store(acc + i, to_words(p.lower(_mm256_add_pd(r, to_reals(load(acc + i))))));
  }
}

void multiply_scalar(u64* out, const u64* a, const Factor& w, std::size_t n, const Modulus& m) {
  const Prime p(m);
  const Reals b = splat_real(static_cast<double>(w.value)), ratio = _mm256_mul_pd(b, p.inverse);
  for (std::size_t i = 0; i < n; i += 4)
    store(out + i, to_words(p.raise(p.product(to_reals(load(a + i)), b, ratio))));
}

void multiply_scalar_add(u64* acc, const u64* a, const Factor& w, std::size_t n, const Modulus& m) {
  const Prime p(m);
  const Reals b = splat_real(static_cast<double>(w.value)), ratio = _mm256_mul_pd(b, p.inverse);
  for (std::size_t i = 0; i < n; i += 4) {
    const Reals r = p.raise(p.product(to_reals(load(a + i)), b, ratio));
    store(acc + i, to_words(p.lower(_mm256_add_pd(r, to_reals(load(acc + i))))));
  }
}

void add_scalar(u64* out, const u64* a, u64 w, std::size_t n, const Modulus& m) {
  const Words q = splat(m.q), shift = _mm256_sub_epi64(splat(w), q);
  for (std::size_t i = 0; i < n; i += 4) store(out + i, raise(_mm256_add_epi64(load(a + i), shift), q));
}

void subtract_multiply_scalar(u64* out, const u64* a, const u64* b, const Factor& w, std::size_t n,
                              const Modulus& m) {
  const Prime p(m);
  const Reals f = splat_real(static_cast<double>(w.value)), ratio = _mm256_mul_pd(f, p.inverse);
  for (std::size_t i = 0; i < n; i += 4) {
    const Reals d = _mm256_sub_pd(to_reals(load(a + i)), to_reals(load(b + i)));
    store(out + i, to_words(p.raise(p.product(d, f, ratio))));
  }
}

void square_terms(u64* s0, u64* s1, u64* s2, const u64* c0, const u64* c1, std::size_t n, const Modulus& m) {
  const Prime p(m);
  for (std::size_t i = 0; i < n; i += 4) {
    const Reals a = to_reals(load(c0 + i)), b = to_reals(load(c1 + i));
    store(s0 + i, product(p, a, a));
    store(s1 + i, product(p, _mm256_add_pd(a, a), b));
    store(s2 + i, product(p, b, b));
  }
}

void sum_squares(u64* const* out, const u64* const* c0, const u64* const* c1, const SquareSums& sums,
                 const u64* bias, std::size_t n, const Modulus& m) {
  const Prime p(m);
  const Reals zero = _mm256_setzero_pd();
  // All sums of a few columns: windows overlap, so that an input is read again while it is near.
  for (std::size_t i = 0; i < n; i += 4) {
    for (std::size_t t = 0; t < sums.sums; ++t) {
      // Four products of size 0.9 q and a bias stay below 5q < 2^51.
      Reals sum0 = bias ? splat_real(static_cast<double>(bias[t])) : zero, sum1 = zero, sum2 = zero;
      for (std::size_t k = sums.begin[t]; k < sums.begin[t + 1]; ++k) {
        const Reals a = to_reals(load(c0[sums.index[k]] + i)), b = to_reals(load(c1[sums.index[k]] + i));
        const bool added = k < sums.subtracted[t];
        const Reals signed_a = added ? a : _mm256_sub_pd(zero, a);
        const Reals signed_b = added ? b : _mm256_sub_pd(zero, b);
        sum0 = _mm256_add_pd(sum0, p.product(signed_a, a));
        sum1 = _mm256_add_pd(sum1, p.product(_mm256_add_pd(signed_a, signed_a), b));
        sum2 = _mm256_add_pd(sum2, p.product(signed_b, b));
        if ((k - sums.begin[t]) % 4 == 3) {
          sum0 = p.reduce(sum0);
          sum1 = p.reduce(sum1);
          sum2 = p.reduce(sum2);
        }
      }
      store(out[3 * t] + i, to_words(p.raise(p.reduce(sum0))));
      store(out[3 * t + 1] + i, to_words(p.raise(p.reduce(sum1))));
      store(out[3 * t + 2] + i, to_words(p.raise(p.reduce(sum2))));
    }
  }
}

void key_product(u64* out0, u64* out1, const u64* const* x, const u64* const* key0, const u64* const* key1,
                 std::size_t digits, std::size_t n, const Modulus& m) {
  const Prime p(m);
  for (std::size_t i = 0; i < n; i += 4) {
    // Eight products of size 0.9 q and a reduced sum stay below 8q < 2^51.
    Reals sum0 = _mm256_setzero_pd(), sum1 = _mm256_setzero_pd();
    for (std::size_t d = 0; d < digits; ++d) {
      const Reals a = to_reals(load(x[d] + i));
      sum0 = _mm256_add_pd(sum0, p.product(a, to_reals(load(key0[d] + i))));
      sum1 = _mm256_add_pd(sum1, p.product(a, to_reals(load(key1[d] + i))));
      if (d % 8 == 7) {
        sum0 = p.reduce(sum0);
        sum1 = p.reduce(sum1);
      }
    }
    store(out0 + i, to_words(p.raise(p.reduce(sum0))));
    store(out1 + i, to_words(p.raise(p.reduce(sum1))));
  }
}

void from_int32(u64* out, const std::int32_t* x, std::size_t n, const Modulus& m) {
  const Prime p(m);
  for (std::size_t i = 0; i < n; i += 4) {
    const Reals v = _mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i)));
    store(out + i, to_words(p.raise(p.reduce(v))));
  }
}

}  // namespace velum::kernels::avx2
