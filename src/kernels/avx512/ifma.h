// Modular arithmetic on eight residues with 52-bit multiply-adds.
//
// Lazy values: a multiplication reads only the low 52 bits of its operands, so a value is kept modulo 2^52,
// with whatever lies in the upper 12 bits of its 64-bit place, as long as its true size is below 2^52 (16 q
// for every modulus). Only a comparison needs the upper bits cleared.
#pragma once

#include <immintrin.h>

#include "kernels/types.h"

namespace velum::kernels::avx512 {
namespace {

using Words = __m512i;  // eight 64-bit words

inline Words load(const u64* p) {
  return _mm512_loadu_si512(p);
}
inline void store(u64* p, Words v) {
  _mm512_storeu_si512(p, v);
}
inline Words splat(u64 v) {
  return _mm512_set1_epi64(static_cast<long long>(v));
}
inline Words low_product(Words acc, Words a, Words b) {
  return _mm512_madd52lo_epu64(acc, a, b);
}
inline Words high_product(Words acc, Words a, Words b) {
  return _mm512_madd52hi_epu64(acc, a, b);
}
inline Words high_product(Words a, Words b) {
  return _mm512_madd52hi_epu64(_mm512_setzero_si512(), a, b);
}

constexpr u64 kMask52 = (u64{1} << 52) - 1;

struct Prime {
  Words q, twice_q, minus_q;  // minus_q = 2^52 - q
  Words mask;
  Words quotient;  // floor(2^52 / q)

  explicit Prime(u64 modulus)
      : q(splat(modulus)),
        twice_q(splat(2 * modulus)),
        minus_q(splat((u64{1} << 52) - modulus)),
        mask(splat(kMask52)),
        quotient(splat((u64{1} << 52) / modulus)) {}

  Words clear(Words x) const { return _mm512_and_si512(x, mask); }
  // [0, 2q) to [0, q), upper bits clear. The difference wraps to a huge number where x < q.
  Words subtract_once(Words x) const { return _mm512_min_epu64(x, _mm512_sub_epi64(x, q)); }
  // [0, 4q) to [0, q), upper bits clear.
  Words subtract_thrice(Words x) const {
    return subtract_once(_mm512_min_epu64(x, _mm512_sub_epi64(x, twice_q)));
  }
  // Any lazy value to a lazy one in [0, 2q).
  Words reduce_lazy(Words x) const { return low_product(x, high_product(x, quotient), minus_q); }
  Words reduce(Words x) const { return subtract_once(clear(reduce_lazy(x))); }
  // acc + w x, lazy: the product is in [0, 2q) for every lazy x (Shoup).
  Words add_product(Words acc, Words x, Words w, Words quotient52) const {
    return low_product(low_product(acc, x, w), high_product(x, quotient52), minus_q);
  }
};

// A constant factor in all eight places.
struct SplatFactor {
  Words w, quotient52;
  explicit SplatFactor(const Factor& f) : w(splat(f.value)), quotient52(splat(f.quotient52)) {}
};

// Barrett reduction of products of two residues a, b < q, q of `bits` bits. c = floor(a b / 2^(bits-2)) comes
// from one high product of shifted operands, and the quotient from its product with floor(2^(bits+50) / q).
// It falls short of a b / q by less than 1/2 (first floor) + 1/4 (second, as c < 2^50) + 1 (third).
struct Barrett : Prime {
  __m128i shift_a, shift_b;
  Words reciprocal;

  explicit Barrett(const Modulus& m) : Prime(m.q) {
    const int bits = 64 - __builtin_clzll(m.q);
    const int total = 54 - bits,
              first = total / 2;  // each operand stays below 2^52: bits + total - first <= 52
    shift_a = _mm_cvtsi32_si128(first);
    shift_b = _mm_cvtsi32_si128(total - first);
    reciprocal =
        splat(static_cast<u64>(((static_cast<u128>(m.barrett_high) << 64) | m.barrett_low) >> (78 - bits)));
  }

  // acc + a b, the product in [0, 2q), lazy.
  Words add_product_of(Words acc, Words a, Words b) const {
    const Words c = high_product(_mm512_sll_epi64(a, shift_a), _mm512_sll_epi64(b, shift_b));
    return low_product(low_product(acc, a, b), high_product(c, reciprocal), minus_q);
  }
  Words product(Words a, Words b) const {
    return subtract_once(clear(add_product_of(_mm512_setzero_si512(), a, b)));
  }
};

// Sums of up to 128 products of 48-bit numbers, kept as high and low halves: high 2^52 + low. A high half is
// below 2^44, a low one below 2^52: the sum of the highs, with the carry of the lows, stays below 2^52, as
// reduce_sum needs.
struct Sum {
  Words high = _mm512_setzero_si512(), low = _mm512_setzero_si512();
  void add(Words a, Words b) {
    high = high_product(high, a, b);
    low = low_product(low, a, b);
  }
};

// Reduces such sums: high (2^52 mod q) + low, with one quotient for each part, is in [0, 4q).
struct SumReducer : Prime {
  Words power, power_quotient;  // 2^52 mod q and its Shoup quotient

  explicit SumReducer(u64 modulus) : Prime(modulus) {
    const u64 w = (u64{1} << 52) % modulus;
    power = splat(w);
    power_quotient = splat(static_cast<u64>((static_cast<u128>(w) << 52) / modulus));
  }
  Words reduce_sum(const Sum& s) const {
    const Words high = _mm512_add_epi64(s.high, _mm512_srli_epi64(s.low, 52));
    const Words multiple = high_product(high_product(high, power_quotient), s.low, quotient);
    return subtract_thrice(clear(low_product(low_product(clear(s.low), high, power), multiple, minus_q)));
  }
};

}  // namespace
}  // namespace velum::kernels::avx512
