#include "ring/primes.h"

#include <algorithm>
#include <cmath>

#include "plan/choose/parameters.h"

namespace velum::plan {

namespace {

// The first prime found at or above `low`.
ckks::u64 prime_above(double low, ckks::u64 order, const std::vector<ckks::u64>& taken) {
  for (double factor = 1;; factor *= 1 + 1.0 / 4096) {
    const auto q = ring::prime_near(low * factor, order, taken);
    if (static_cast<double>(q) >= low) return q;
  }
}

}  // namespace

ckks::ParametersLiteral choose_primes(const Scaling& scaling, std::size_t final_limbs, std::size_t special,
                                      double excess, std::size_t n, const Request& request) {
  ckks::ParametersLiteral literal;
  literal.ring = request.ring;
  literal.n = n;
  literal.security = request.security;
  const auto order = ring::root_order(request.ring, n);
  auto& moduli = literal.moduli;
  // The lowest primes must hold the result: at least as large as wanted. The others only near, scales follow
  // them.
  for (std::size_t i = 0; i < scaling.primes.size(); ++i)
    moduli.push_back(i < final_limbs ? prime_above(scaling.primes[i], order, moduli)
                                     : ring::prime_near(scaling.primes[i], order, moduli));
  if (special == 0) return literal;

  const double digit = ckks::largest_digit_bits(ckks::bits_of(moduli), special) + excess;
  auto taken = moduli;
  const double each = std::exp2(std::max(digit / static_cast<double>(special), kSmallestPrime) + 1e-6);
  for (std::size_t s = 0; s < special; ++s) {
    literal.special.push_back(prime_above(each, order, taken));
    taken.push_back(literal.special.back());
  }
  return literal;
}

}  // namespace velum::plan
