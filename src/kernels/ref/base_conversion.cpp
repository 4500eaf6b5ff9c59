// Sums of products over moduli or digits: base conversion and the key-switch inner product.
#include <cmath>

#include "kernels/ref/arithmetic.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::ref {

// Products are below 2^96, so that 2^32 of them fit 128 bits: one reduction at the end.
void key_product(u64* out0, u64* out1, const u64* const* x, const u64* const* key0, const u64* const* key1,
                 std::size_t digits, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) {
    u128 sum0 = 0, sum1 = 0;
    for (std::size_t d = 0; d < digits; ++d) {
      sum0 += static_cast<u128>(x[d][i]) * key0[d][i];
      sum1 += static_cast<u128>(x[d][i]) * key1[d][i];
    }
    out0[i] = reduce(sum0, m);
    out1[i] = reduce(sum1, m);
  }
}

void base_scale(u64* const* y, std::uint8_t* v, const u64* const* in, std::size_t n,
                const BaseConversion& c) {
  constexpr std::size_t kChunk = 256;  // columns at a time: their sums stay in L1
  for (std::size_t begin = 0; begin < n; begin += kChunk) {
    const std::size_t count = n - begin < kChunk ? n - begin : kChunk;
    double sum[kChunk] = {};
    for (std::size_t i = 0; i < c.sources; ++i) {
      const Modulus& m = c.source_moduli[i];
      const Factor& w = c.punctured_inverse[i];
      for (std::size_t k = 0; k < count; ++k) {
        const u64 scaled = multiply_factor(in[i][begin + k], w.value, w.quotient64, m.q);
        y[i][begin + k] = scaled;
        sum[k] += static_cast<double>(scaled) * m.inverse;
      }
    }
    // Rounding ties to even, as every variant does.
    for (std::size_t k = 0; k < count; ++k) v[begin + k] = static_cast<std::uint8_t>(std::nearbyint(sum[k]));
  }
}

void base_sum(u64* out, const u64* const* y, const std::uint8_t* v, std::size_t n, const BaseConversion& c,
              std::size_t target) {
  const Modulus& m = c.target_moduli[target];
  const u64* punctured = c.punctured + target * c.sources;
  const u64 minus_product = m.q - c.product[target];  // <= q: -v M = v (q - M) mod q
  for (std::size_t k = 0; k < n; ++k) {
    u128 total = static_cast<u128>(v[k]) * minus_product;
    for (std::size_t i = 0; i < c.sources; ++i) total += static_cast<u128>(y[i][k]) * punctured[i];
    out[k] = reduce(total, m);
  }
}

}  // namespace velum::kernels::ref
