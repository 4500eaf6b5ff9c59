// Element-wise kernels.
#include "kernels/ref/arithmetic.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::ref {

void add(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = add_mod(a[i], b[i], m.q);
}

void subtract(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = subtract_mod(a[i], b[i], m.q);
}

void negate(u64* out, const u64* a, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] == 0 ? 0 : m.q - a[i];
}

void multiply(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = multiply_mod(a[i], b[i], m);
}

void multiply_add(u64* acc, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) acc[i] = reduce(static_cast<u128>(a[i]) * b[i] + acc[i], m);
}

void multiply_scalar(u64* out, const u64* a, const Factor& w, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = multiply_factor(a[i], w.value, w.quotient64, m.q);
}

void multiply_scalar_add(u64* acc, const u64* a, const Factor& w, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) {
    acc[i] = add_mod(acc[i], multiply_factor(a[i], w.value, w.quotient64, m.q), m.q);
  }
}

void add_scalar(u64* out, const u64* a, u64 w, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = add_mod(a[i], w, m.q);
}

void subtract_multiply_scalar(u64* out, const u64* a, const u64* b, const Factor& w, std::size_t n,
                              const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = multiply_factor(subtract_mod(a[i], b[i], m.q), w.value, w.quotient64, m.q);
  }
}

void square_terms(u64* s0, u64* s1, u64* s2, const u64* c0, const u64* c1, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) {
    const u64 a = c0[i], b = c1[i];  // read first: an output may be one of the inputs
    s0[i] = multiply_mod(a, a, m);
    s1[i] = reduce(static_cast<u128>(a) * b * 2, m);
    s2[i] = multiply_mod(b, b, m);
  }
}

void sum_squares(u64* const* out, const u64* const* c0, const u64* const* c1, const SquareSums& sums,
                 const u64* bias, std::size_t n, const Modulus& m) {
  for (std::size_t t = 0; t < sums.sums; ++t) {
    for (std::size_t i = 0; i < n; ++i) {
      u64 sum0 = bias ? bias[t] : 0, sum1 = 0, sum2 = 0;
      for (std::size_t k = sums.begin[t]; k < sums.begin[t + 1]; ++k) {
        const u64 a = c0[sums.index[k]][i], b = c1[sums.index[k]][i];
        const auto join = [&](u64 sum, u64 x) {
          return k < sums.subtracted[t] ? add_mod(sum, x, m.q) : subtract_mod(sum, x, m.q);
        };
        sum0 = join(sum0, multiply_mod(a, a, m));
        sum1 = join(sum1, reduce(static_cast<u128>(a) * b * 2, m));
        sum2 = join(sum2, multiply_mod(b, b, m));
      }
      out[3 * t][i] = sum0;
      out[3 * t + 1][i] = sum1;
      out[3 * t + 2][i] = sum2;
    }
  }
}

void permute(u64* out, const u64* in, const std::uint32_t* source, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = in[source[i]];
}

void from_int32(u64* out, const std::int32_t* x, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = reduce_signed(x[i], m);
}

void from_int64(u64* out, const std::int64_t* x, std::size_t n, const Modulus& m) {
  for (std::size_t i = 0; i < n; ++i) out[i] = reduce_signed(x[i], m);
}

}  // namespace velum::kernels::ref
