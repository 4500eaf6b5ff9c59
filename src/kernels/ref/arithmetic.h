// Scalar modular arithmetic of the reference kernels. All results are in [0, q) unless a name says lazy.
// Corrections are masks, not branches: operands may be secret, and their bits are unpredictable anyway.
#pragma once

#include "kernels/types.h"

namespace velum::kernels::ref {

// x < 2q to [0, q).
inline u64 reduce_once(u64 x, u64 q) {
  return x - (q & (0 - static_cast<u64>(x >= q)));
}

inline u64 add_mod(u64 a, u64 b, u64 q) {
  return reduce_once(a + b, q);
}

inline u64 subtract_mod(u64 a, u64 b, u64 q) {
  return a - b + (q & (0 - static_cast<u64>(a < b)));
}

inline u64 high_word(u64 a, u64 b) {
  return static_cast<u64>((static_cast<u128>(a) * b) >> 64);
}

// Shoup: with w' = floor(w 2^64 / q), w x - floor(w' x / 2^64) q lies in [0, 2q) for every 64-bit x.
inline u64 multiply_lazy(u64 x, u64 w, u64 quotient64, u64 q) {
  return w * x - high_word(quotient64, x) * q;
}

inline u64 multiply_factor(u64 x, u64 w, u64 quotient64, u64 q) {
  return reduce_once(multiply_lazy(x, w, quotient64, q), q);
}

// Barrett: floor(z r / 2^128) with r = floor(2^128 / q) is at most one below floor(z / q) for every 128-bit
// z, so that z minus that multiple of q is below 2q.
inline u64 reduce(u128 z, const Modulus& m) {
  const u64 low = static_cast<u64>(z), high = static_cast<u64>(z >> 64);
  const u128 middle = static_cast<u128>(low) * m.barrett_high + high_word(low, m.barrett_low);
  const u128 other = static_cast<u128>(high) * m.barrett_low + static_cast<u64>(middle);
  const u64 quotient = high * m.barrett_high + static_cast<u64>(middle >> 64) + static_cast<u64>(other >> 64);
  return reduce_once(low - quotient * m.q, m.q);
}

inline u64 multiply_mod(u64 a, u64 b, const Modulus& m) {
  return reduce(static_cast<u128>(a) * b, m);
}

// A signed 64-bit integer modulo q.
inline u64 reduce_signed(std::int64_t v, const Modulus& m) {
  const u64 sign = 0 - static_cast<u64>(v < 0);  // all ones for negative v
  const u64 r = reduce((static_cast<u64>(v) ^ sign) - sign, m);
  return r ^ (sign & (r ^ reduce_once(m.q - r, m.q)));
}

}  // namespace velum::kernels::ref
