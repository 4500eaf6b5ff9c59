// Plaintexts that repeat in the slots of the real ring: slot j holds value j mod P, P a power of two, 1 <= P
// <= N / 8.
//
// With Y = X^(N/P), such a plaintext is a_0 + sum over 0 < i < P of a_i (Y^i + Y^-i): it has P coefficients,
// at the multiples of N / P, which are those of the P values in the ring of dimension P. Of the transform's
// tree its image needs the first log2(P) levels; what is left at a node of N / P points is a constant. So its
// residues are constant on P contiguous runs of N / P, in the order of the nodes (docs/formats.md, order of
// the transform).
//
// Rounding the coefficients adds to each slot an error of sqrt((2P - 1) / 12) steps.
#pragma once

#include <cstdint>
#include <span>

#include "ckks/core/fft.h"
#include "ring/ring.h"

namespace velum::ckks {

using kernels::u64;

// Tables for one period, to be used for any number of plaintexts.
class PeriodicEncoder {
 public:
  explicit PeriodicEncoder(std::size_t period);
  std::size_t period() const { return transform_.size(); }

  // coefficients[i] = a_i times `factor`, rounded to nearest, of the `period` values of the blocks:
  // |coefficients[i]| <= factor max |block| + 1/2. That bound must stay below 2^31, or 2^61; throws
  // Error(user) otherwise. `scratch` has 2 * period places.
  void encode(std::span<std::int32_t> coefficients, std::span<const double> blocks, double factor,
              std::span<double> scratch) const;
  void encode(std::span<std::int64_t> coefficients, std::span<const double> blocks, double factor,
              std::span<double> scratch) const;

 private:
  ComplexTransform transform_;
};

// out[c], 0 <= c < P, is the residue modulo ring.q(modulus) on run c of N / P columns.
void periodic_residues(u64* out, std::span<const std::int32_t> coefficients, const ring::Ring& ring,
                       std::size_t modulus);
void periodic_residues(u64* out, std::span<const std::int64_t> coefficients, const ring::Ring& ring,
                       std::size_t modulus);
// The same in place, from residues of the coefficients: for coefficients larger than an integer holds, and
// for those who reduce many at a time.
void transform_periodic(u64* x, std::size_t period, const ring::Ring& ring, std::size_t modulus);

}  // namespace velum::ckks
