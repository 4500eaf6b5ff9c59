// Constants of moduli and of constant factors.
#include "kernels/table.h"

namespace velum::kernels {

Modulus make_modulus(u64 q) {
  const u128 barrett = ~u128{0} / q;  // floor(2^128 / q), as an odd q > 1 does not divide 2^128
  return {q, 1.0 / static_cast<double>(q), static_cast<u64>(barrett >> 64), static_cast<u64>(barrett)};
}

Factor make_factor(u64 w, const Modulus& m) {
  return {w, static_cast<u64>((static_cast<u128>(w) << 64) / m.q),
          static_cast<u64>((static_cast<u128>(w) << 52) / m.q)};
}

}  // namespace velum::kernels
