// Scales: how many bits every vector, weight and prime takes, and the precision that follows.
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "plan/choose/levels.h"
#include "plan/choose/noise.h"

namespace velum::plan {

// The four numbers that decide all scales.
struct ScaleBits {
  double input = 22;  // log2(scale * bound) of fresh ciphertexts
  double first_weights =
      10;               // bits of the largest weight, sign included, where a stage reads the fresh input
  double weights = 10;  // elsewhere
  double values = 28;   // log2(scale * bound) of a vector after a rescale
};

struct ScaledStage {
  double affine_scale = 1;     // of the affine map's result
  double scale = 1;            // of the vector, after the rescale if there is one
  std::vector<double> factor;  // by source: integer weight over real weight
  std::vector<std::uint64_t> lift;
  double largest_weight = 0;  // integer
  // Of the vector, in units of its true values, rms over its elements (of the output, of the element that
  // errs most): noise, independent in each element, and what rounded weights do that a channel's positions
  // share.
  double noise = 0, rounding = 0;
  double added_noise = 0, added_rounding = 0;  // the parts that begin in this stage
  double weight_rounding = 0;                  // of those, what rounded weights add, shared or not
  double error() const { return std::hypot(noise, rounding); }
};

struct Scaling {
  bool feasible = false;
  std::string problem;  // where not
  double input_scale = 1, input_error = 0;
  std::vector<ScaledStage> stages;
  std::vector<double> primes;  // wanted sizes, or the true ones that were given
  double final_bits = 0;       // the product of the lowest primes has at least so many
  double precision_bits = 0;   // -log2(rms error of the output that errs most / bound of the outputs)
  int dominant = -1;           // the stage that adds most of the output's error; -1: encryption
  bool weights_limit = false;  // and whether it is by rounding its weights
};

struct ScaleProblem {
  const Network& network;
  const std::vector<PackedStage>& stages;
  const Levels& levels;
  ring::RingType ring = ring::RingType::real;
  double n = 0;
  // Of networks in blocks: the product of the special primes is larger than any digit by so many bits, which
  // a rotation's noise falls by; and the stages that read relinearised squares, and rotate those.
  double special_excess = 0;
  const std::vector<bool>* squares_first = nullptr;
  bool public_key = false;  // inputs come with the noise of that encryption
};

// With `primes` the true moduli are taken; without, sizes are chosen here.
Scaling assign_scales(const ScaleProblem& problem, const ScaleBits& bits,
                      const std::vector<ckks::u64>* primes = nullptr);

// Bounds of what is asked for as a prime of the chain, in bits, within those of moduli
// (kernels::modulus_in_range): room is left to find one nearby.
inline constexpr double kSmallestPrime = 25, kLargestPrime = 47.9;
// The upper one of special primes. Their size is not chosen, it follows: the mean of the largest digit's
// primes, and a share of the excess. The bound stands above the chain's, so that a digit whose primes are all
// at theirs is not refused for how its logarithms were rounded. Special primes are looked for upwards, where
// a twentieth of a bit is left below kernels::kModulusBelow (48 bits less 2^-14): 2^43 numbers, of which at
// least one in 2^18 is 1 modulo the order of the roots.
inline constexpr double kLargestSpecialPrime = 47.95;
// Asked for where a prime's residues are to have two digits: the one that is found, looking upwards, is below
// kernels::kTwoDigitBits.
inline constexpr double kTwoDigitPrime = 31.88;

}  // namespace velum::plan
