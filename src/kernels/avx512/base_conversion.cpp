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

void base_scale(u64* const* y, std::uint8_t* v, const u64* const* in, std::size_t n,
                const BaseConversion& c) {
  constexpr std::size_t kChunk = 256;  // columns at a time: their sums stay in L1
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
        store(y[i] + begin + k, r);
        // Multiplied and added apart: the same roundings as the reference.
        const __m512d share = _mm512_mul_pd(_mm512_cvtepu64_pd(r), inverse);
        _mm512_store_pd(total + k, _mm512_add_pd(_mm512_load_pd(total + k), share));
      }
    }
    for (std::size_t k = 0; k < count; k += 8)
      _mm_storel_epi64(reinterpret_cast<__m128i*>(v + begin + k),
                       _mm512_cvtepi64_epi8(_mm512_cvtpd_epu64(_mm512_load_pd(total + k))));
  }
}

void base_sum(u64* out, const u64* const* y, const std::uint8_t* v, std::size_t n, const BaseConversion& c,
              std::size_t target) {
  const u64 q = c.target_moduli[target].q;
  const SumReducer p(q);
  const u64* punctured = c.punctured + target * c.sources;
  const Words minus_product = splat(q - c.product[target]);
  const auto quotients = [&](std::size_t k) {
    return _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(v + k)));
  };
  for (std::size_t k = 0; k < n; k += 16) {  // two vectors at a time hide the latency of the multiply-adds
    Sum a, b;
    a.add(quotients(k), minus_product);
    b.add(quotients(k + 8), minus_product);
    for (std::size_t i = 0; i < c.sources; ++i) {
      const Words w = splat(punctured[i]);
      a.add(load(y[i] + k), w);
      b.add(load(y[i] + k + 8), w);
    }
    store(out + k, p.reduce_sum(a));
    store(out + k + 8, p.reduce_sum(b));
  }
}

}  // namespace velum::kernels::avx512
