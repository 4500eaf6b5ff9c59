#include "kernels/avx2/avx2.h"
#include "kernels/avx2/doubles.h"

namespace velum::kernels::avx2 {

void base_scale(u64* const* y, std::uint8_t* v, const u64* const* in, std::size_t n,
                const BaseConversion& c) {
  constexpr std::size_t kChunk = 256;  // columns at a time: their sums stay in L1
  alignas(32) double sums[kChunk];
  for (std::size_t begin = 0; begin < n; begin += kChunk) {
    const std::size_t count = n - begin < kChunk ? n - begin : kChunk;
    for (std::size_t i = 0; i < c.sources; ++i) {
      const Prime p(c.source_moduli[i]);
      const Reals w = splat_real(static_cast<double>(c.punctured_inverse[i].value));
      const Reals ratio = _mm256_mul_pd(w, p.inverse);
      for (std::size_t k = 0; k < count; k += 4) {
        const Reals scaled = p.raise(p.product(to_reals(load(in[i] + begin + k)), w, ratio));
        store(y[i] + begin + k, to_words(scaled));
        const Reals part = _mm256_mul_pd(scaled, p.inverse);
        _mm256_store_pd(sums + k, i == 0 ? part : _mm256_add_pd(_mm256_load_pd(sums + k), part));
      }
    }
    // At most 64: the lowest byte of each double word is the quotient.
    for (std::size_t k = 0; k < count; k += 4) {
      const __m128i quotient = _mm256_cvtpd_epi32(nearest(_mm256_load_pd(sums + k)));
      const int four = _mm_cvtsi128_si32(_mm_shuffle_epi8(quotient, _mm_set1_epi32(0x0c080400)));
      __builtin_memcpy(v + begin + k, &four, 4);
    }
  }
}

void base_sum(u64* out, const u64* const* y, const std::uint8_t* v, std::size_t n, const BaseConversion& c,
              std::size_t target) {
  constexpr std::size_t kMaxSources = 64;
  const Modulus& m = c.target_moduli[target];
  const Prime p(m);
  double w[kMaxSources], ratio[kMaxSources];
  for (std::size_t i = 0; i < c.sources; ++i) {
    w[i] = static_cast<double>(c.punctured[target * c.sources + i]);
    ratio[i] = w[i] * m.inverse;
  }
  // -v M = v (q - M) mod q
  const Reals minus_product = splat_real(static_cast<double>(m.q - c.product[target]));
  const Reals minus_ratio = _mm256_mul_pd(minus_product, p.inverse);
  for (std::size_t k = 0; k < n; k += 4) {
    int four;
    __builtin_memcpy(&four, v + k, 4);
    const Reals quotient = _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)));
    Reals sum = p.product(quotient, minus_product, minus_ratio);
    for (std::size_t i = 0; i < c.sources; ++i) {
      // Eight products of size 0.9 q, or a reduced sum and seven of them, stay below 8 q < 2^51.
      if (i % 7 == 6) sum = p.reduce(sum);
      sum = _mm256_add_pd(sum, p.product(to_reals(load(y[i] + k)), splat_real(w[i]), splat_real(ratio[i])));
    }
    store(out + k, to_words(p.raise(p.reduce(sum))));
  }
}

}  // namespace velum::kernels::avx2
