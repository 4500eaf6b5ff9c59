#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {

void key_product(u64* out0, u64* out1, const u64* const* x, const u64* const* key0, const u64* const* key1,
                 std::size_t digits, std::size_t n, const Modulus& m) {
  const SumReducer p(m.q);
  for (std::size_t i = 0; i < n; i += 16) {  // two vectors at a time hide the latency of the multiply-adds
    Sum a0, a1, b0, b1;
    for (std::size_t d = 0; d < digits; ++d) {
      const Words xa = load(x[d] + i), xb = load(x[d] + i + 8);
      a0.add(xa, load(key0[d] + i));
      a1.add(xa, load(key1[d] + i));
      b0.add(xb, load(key0[d] + i + 8));
      b1.add(xb, load(key1[d] + i + 8));
    }
    store(out0 + i, p.reduce_sum(a0));
    store(out1 + i, p.reduce_sum(a1));
    store(out0 + i + 8, p.reduce_sum(b0));
    store(out1 + i + 8, p.reduce_sum(b1));
  }
}

// Columns in chunks: the scaled sources y and the rounded quotients v of a chunk stay in L1 while each target
// sums over them.
void base_convert(u64* const* out, const u64* const* in, std::size_t n, const BaseConversion& c) {
  constexpr std::size_t kChunk = 64, kMaxSources = 64;
  alignas(64) u64 y[kMaxSources][kChunk];
  alignas(64) u64 v[kChunk];
  alignas(64) double total[kChunk];
  for (std::size_t begin = 0; begin < n; begin += kChunk) {
    const std::size_t count = n - begin < kChunk ? n - begin : kChunk;
    for (std::size_t k = 0; k < count; k += 8) _mm512_store_pd(total + k, _mm512_setzero_pd());
    for (std::size_t i = 0; i < c.sources; ++i) {
      const Prime p(c.source_moduli[i].q);
      const SplatFactor f(c.punctured_inverse[i]);
      const __m512d inverse = _mm512_set1_pd(c.source_moduli[i].inverse);
      for (std::size_t k = 0; k < count; k += 8) {
        const Words r = p.subtract_once(
            p.clear(p.add_product(_mm512_setzero_si512(), load(in[i] + begin + k), f.w, f.quotient52)));
        store(y[i] + k, r);
        // Multiplied and added apart: the same roundings as the reference.
        const __m512d share = _mm512_mul_pd(_mm512_cvtepu64_pd(r), inverse);
        _mm512_store_pd(total + k, _mm512_add_pd(_mm512_load_pd(total + k), share));
      }
    }
    for (std::size_t k = 0; k < count; k += 8) store(v + k, _mm512_cvtpd_epu64(_mm512_load_pd(total + k)));
    for (std::size_t j = 0; j < c.targets; ++j) {
      if (!out[j]) continue;
      const SumReducer p(c.target_moduli[j].q);
      const u64* punctured = c.punctured + j * c.sources;
      const Words minus_product = splat(c.target_moduli[j].q - c.product[j]);
      for (std::size_t k = 0; k < count; k += 16) {
        Sum a, b;
        a.add(load(v + k), minus_product);
        b.add(load(v + k + 8), minus_product);
        for (std::size_t i = 0; i < c.sources; ++i) {
          const Words w = splat(punctured[i]);
          a.add(load(y[i] + k), w);
          b.add(load(y[i] + k + 8), w);
        }
        store(out[j] + begin + k, p.reduce_sum(a));
        store(out[j] + begin + k + 8, p.reduce_sum(b));
      }
    }
  }
}

}  // namespace velum::kernels::avx512
