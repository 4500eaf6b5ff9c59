#include "ring/automorphism.h"

#include <bit>

#include "base/error.h"

namespace velum::ring {

// Leaf k of the tree holds the value at zeta^e(n + k), with the exponents of ring.cpp. It takes the value at
// that exponent times 5^steps.
Rotation::Rotation(RingType type, std::size_t n, std::int64_t steps) : source_(n) {
  if (!std::has_single_bit(n) || n < 8) fail_user("ring dimension {}: a power of two from 8 on is needed", n);
  steps_ = normalised_steps(steps, slot_count(type, n));
  const u64 order = root_order(type, n);
  std::vector<u64> exponent(2 * n);
  exponent[1] = n;
  for (std::size_t k = 2; k < 2 * n; ++k) exponent[k] = exponent[k / 2] / 2 + (k % 2 ? order / 2 : 0);
  std::vector<std::uint32_t> leaf_of_exponent(order);
  for (std::size_t k = 0; k < n; ++k) leaf_of_exponent[exponent[n + k]] = static_cast<std::uint32_t>(k);
  u64 power = 1;
  for (std::uint32_t i = 0; i < steps_; ++i) power = power * 5 % order;
  for (std::size_t k = 0; k < n; ++k) source_[k] = leaf_of_exponent[exponent[n + k] * power % order];
}

}  // namespace velum::ring
