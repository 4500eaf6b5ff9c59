// The search for parameters: ring dimension, scales, primes, special primes.
#pragma once

#include "plan/choose/placement.h"
#include "plan/choose/scales.h"

namespace velum::plan {

struct Parameters {
  std::size_t n = 0;
  std::size_t special = 0;  // special primes
  double excess = 0;        // bits by which their product is larger than a digit
  ScaleBits bits;
  Scaling scaling;  // with the true primes
  Placement placement;
  ckks::ParametersLiteral literal;
  double log2_qp = 0, limit = 0;  // of the literal, and of the security table
  bool small_result = false;      // the levels are with_small_result
  double seconds = 0;             // predicted, one thread
  double input_bits = 0;          // log2 of the product of the moduli: bits an input element takes a slot
};

struct Imprecise {
  double seconds = 0, precision = 0;
};

struct ParameterSearch {
  Parameters best;
  std::size_t tried = 0;
  std::optional<Imprecise> fastest_imprecise;  // faster than the best, but under the precision target
  std::optional<Parameters> other_special;     // the best with another number of special primes
  std::vector<std::string> smaller_rings;      // why each smaller ring was not enough
  // Where no allowed ring is enough: why, for the user, and the best precision within the security table in
  // any of them (-1: nothing fits the table).
  std::string problem;
  double most_precise = -1;
  std::string limited_by;  // what keeps the most precise one from more: a layer, and which of its bits
};

// The smallest ring that can hold the network; in it the lowest predicted time, and at equal time precision
// beyond the target, then fewer bytes. Where none of the allowed rings can, `problem` says why.
ParameterSearch search_parameters(const Network& network, const std::vector<PackedStage>& stages,
                                  const Levels& levels, const Request& request);

// Primes for a scaling: moduli near the wanted sizes, then special ones over every digit of `special` moduli
// (ckks::largest_digit_bits), by `excess` bits.
ckks::ParametersLiteral choose_primes(const Scaling& scaling, std::size_t final_limbs, std::size_t special,
                                      double excess, std::size_t n, const Request& request);

}  // namespace velum::plan
