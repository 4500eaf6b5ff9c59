// What the evaluator's operations cost, in counts: the planner's figures, held to the code by a test.
#pragma once

#include <cstdint>

namespace velum::ckks {

struct OperationCost {
  std::uint64_t ntts = 0;          // transforms of N points, both directions
  std::uint64_t key_products = 0;  // limb products in key switches
  std::uint64_t conversions = 0;   // limb products in base conversions: sources times targets
  std::uint64_t products = 0;      // other limb products
  bool operator==(const OperationCost&) const = default;
};

// A ciphertext of `limbs` limbs, `alpha` special primes. Digits are groups of alpha moduli.
constexpr std::uint64_t digits(std::uint64_t limbs, std::uint64_t alpha) {
  return (limbs + alpha - 1) / alpha;
}

constexpr OperationCost square_cost(std::uint64_t limbs) {
  return {0, 0, 0, 3 * limbs};
}

constexpr OperationCost rescale_cost(std::uint64_t limbs) {
  const std::uint64_t left = limbs - 1;
  return {2 + 2 * left, 0, 2 * left, 2 * left};
}

namespace detail {
// The inner product with the key at all limbs and special primes: every digit is lifted to the moduli outside
// it.
constexpr OperationCost key_inner_product(std::uint64_t limbs, std::uint64_t alpha) {
  const std::uint64_t d = digits(limbs, alpha), last = limbs - (d - 1) * alpha;
  OperationCost c;
  c.ntts = limbs + d * (limbs + alpha) - limbs;  // down, then each lift up
  c.conversions = limbs * (limbs + alpha) - (d - 1) * alpha * alpha - last * last;
  c.key_products = 2 * d * (limbs + alpha);
  return c;
}
}  // namespace detail

constexpr OperationCost relinearise_cost(std::uint64_t limbs, std::uint64_t alpha) {
  OperationCost c = detail::key_inner_product(limbs, alpha);
  c.ntts += 2 * alpha + 2 * limbs;
  c.conversions += 2 * alpha * limbs;
  c.products += 2 * limbs;
  return c;
}

constexpr OperationCost relinearise_rescale_cost(std::uint64_t limbs, std::uint64_t alpha) {
  OperationCost c = detail::key_inner_product(limbs, alpha);
  const std::uint64_t left = limbs - 1;
  c.ntts += 2 * (alpha + 1) + 2 * left;
  c.conversions += 2 * (alpha + 1) * left;
  c.products += 2 * limbs + 2 * left;  // P c added, then the division
  return c;
}

}  // namespace velum::ckks
