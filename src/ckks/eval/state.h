// Constants behind the evaluator, made once from the parameters. Private to this folder.
#pragma once

#include <vector>

#include "ckks/eval/evaluator.h"
#include "ring/base_conversion.h"

namespace velum::ckks {

// Division by a product M of moduli: the lift of the remainder modulo M to moduli 0, 1, .., and 1/M modulo
// each.
struct Division {
  ring::BaseConversion lift;
  std::vector<kernels::Factor> inverse;
};

struct EvaluatorConstants {
  explicit EvaluatorConstants(const Parameters& p);

  Parameters params;
  std::size_t n, limbs, alpha;  // alpha special primes

  // Digit d cut to its first r moduli (the last one of a short ciphertext may be partial), to all moduli and
  // special primes: digit_lift[d * alpha + r - 1].
  std::vector<ring::BaseConversion> digit_lift;
  std::vector<Division> rescale;         // [k - 1]: by q_{k-1}
  std::vector<Division> mod_down;        // one, for all heights: by P
  std::vector<Division> fused;           // [k - 1]: by P q_{k-1}; the special primes come first
  std::vector<kernels::Factor> p_mod_q;  // P modulo q_i

  const kernels::Modulus& modulus(std::size_t i) const { return params.ring().modulus(i); }
  const kernels::NttTables& ntt(std::size_t i) const { return params.ring().ntt(i); }
};

struct Evaluator::State : EvaluatorConstants {
  using EvaluatorConstants::EvaluatorConstants;
};

}  // namespace velum::ckks
