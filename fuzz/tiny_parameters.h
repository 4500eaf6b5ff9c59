// Parameters small enough that thousands of keys and ciphertexts are read in a second.
#pragma once

#include <cmath>

#include "ckks/core/parameters.h"
#include "plan/plan.h"
#include "ring/primes.h"

namespace velum::fuzz {

inline const ckks::Parameters& tiny_parameters() {
  static const ckks::Parameters params = [] {
    ckks::ParametersLiteral p;
    p.ring = ckks::RingType::real;
    p.n = 16;
    p.security = ckks::Security::none;
    std::vector<ckks::u64> taken;
    for (const double bits : {30.0, 25.0, 34.0}) {
      taken.push_back(ring::prime_near(std::exp2(bits), ring::root_order(p.ring, p.n), taken));
      (bits == 34.0 ? p.special : p.moduli).push_back(taken.back());
    }
    return ckks::Parameters(p);
  }();
  return params;
}

// As much of a client plan as batch files look at.
inline const plan::ClientPlan& tiny_plan() {
  static const plan::ClientPlan plan = [] {
    plan::ClientPlan p;
    p.params = tiny_parameters().literal();
    p.keys.relinearise_limbs = 2;
    p.input_shape = {3};
    p.input_limbs = 2;
    p.input_order = {0, 1, 2};
    p.outputs = 2;
    p.output_limbs = 1;
    p.output_polys = 3;
    p.id.fill(7);
    return p;
  }();
  return plan;
}

}  // namespace velum::fuzz
