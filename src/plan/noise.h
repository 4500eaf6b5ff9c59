// Errors in the slots, as variances: what encryption, rounding and key switching add. In units of the
// integers that the slots hold, scale not divided out.
#pragma once

#include <cstddef>

#include "ring/ring.h"

namespace velum::plan {

inline constexpr double kErrorDeviation = 3.2;

// A slot is the evaluation of a polynomial whose coefficients have variance 1: real ring, a_0 + 2 sum a_i
// cos, has 2N of them; of the standard ring only the real part is used, which has N / 2.
double slot_variance(ring::RingType ring, double n);

double fresh_variance(ring::RingType ring, double n);

// Rounding both polynomials to integers after a division: e_0 + e_1 s, a coefficient of e uniform within 1/2,
// one of the ternary secret of variance 2/3.
double rounding_variance(ring::RingType ring, double n);

// Relinearisation at most, before the rounding of its division by P: digits times e_key times a digit no
// larger than P.
double key_switch_variance(ring::RingType ring, double n, double digits);

}  // namespace velum::plan
