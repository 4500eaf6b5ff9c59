// The distributions of the scheme. The secret ones (ternary, error) run in constant time: no branch and no
// memory index depends on what is drawn.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/types.h"
#include "ring/random.h"

namespace velum::ring {

// Standard deviation of sample_error: sqrt(21/2), at least the 3.2 that the security table supposes.
inline constexpr double kErrorDeviation = 3.240370349203930;
inline constexpr int kErrorBound = 21;

// Uniform residues modulo m.q, public (this is the expansion of seeds in files, see docs/formats.md):
// candidate k is the bytes [k w, (k + 1) w) of the key stream, w = ceil(bits / 8), little-endian, cut to the
// bit width of q; those below q are taken in order.
void expand_uniform(kernels::u64* out, std::size_t n, const kernels::Modulus& m, const Seed& seed,
                    std::uint64_t stream);

// Uniform on {-1, 0, 1}, up to a bias of 2^-63.
void sample_ternary(std::span<std::int8_t> out, RandomStream& random);
// Centred binomial: the difference of two sums of 21 bits.
void sample_error(std::span<std::int32_t> out, RandomStream& random);

}  // namespace velum::ring
