// Errors in the slots, as variances: what encryption, rounding and key switching add. In units of the
// integers that the slots hold, scale not divided out.
#pragma once

#include <cstddef>

#include "ring/ring.h"

namespace velum::plan {

// A slot is the evaluation of a polynomial whose coefficients have variance 1: real ring, a_0 + 2 sum a_i
// cos, has 2N of them; of the standard ring only the real part is used, which has N / 2.
double slot_variance(ring::RingType ring, double n);

// Encrypted with the secret key: one error, and the rounding of the message.
double fresh_variance(ring::RingType ring, double n);
// With the public key: e u + e_1 s + e_0 and that rounding, u and s ternary, e the key's own error.
double public_fresh_variance(ring::RingType ring, double n);

// Rounding both polynomials to integers after a division: e_0 + e_1 s, a coefficient of e uniform within 1/2,
// one of the ternary secret of variance 2/3.
double rounding_variance(ring::RingType ring, double n);

// Relinearisation at most, before the rounding of its division by P: digits times e_key times a digit no
// larger than P.
double key_switch_variance(ring::RingType ring, double n, double digits);

// A weight that differs by block, in units of its rounding's step: P coefficients, each uniform within 1/2
// (real ring: a_0 + 2 sum a_i cos over 2P - 1 of them).
double periodic_rounding(double blocks);

}  // namespace velum::plan
