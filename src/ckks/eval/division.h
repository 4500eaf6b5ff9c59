// Division of a polynomial by a product M of moduli, rounding (see key_switch.cpp). Private to this folder.
#pragma once

#include <array>

#include "ckks/eval/digits.h"

namespace velum::ckks {

// The remainder modulo the divisor's moduli, in coefficients, one array each, scaled for its lift; n
// quotients.
struct Remainder {
  std::array<u64*, kernels::kMaxKeyDigits + 1> at;
  std::uint8_t* quotient = nullptr;
};

inline void scale(const EvaluatorConstants& s, const Remainder& r, const Division& division) {
  kernels::table().base_scale(r.at.data(), r.quotient, r.at.data(), s.n, division.lift.view());
}

// out = (t - remainder) / divisor at modulus j, NTT form. `lift` is a limb of scratch, and may be out.
inline void divide_at(const EvaluatorConstants& s, u64* out, const u64* t, const Remainder& remainder,
                      const Division& division, std::size_t j, u64* lift) {
  const auto& k = kernels::table();
  k.base_sum(lift, remainder.at.data(), remainder.quotient, s.n, division.lift.view(), j);
  k.ntt_forward(lift, s.ntt(j));
  k.subtract_multiply_scalar(out, t, lift, division.inverse[j], s.n, s.modulus(j));
}

}  // namespace velum::ckks
