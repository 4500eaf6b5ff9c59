// What the evaluator's operations cost, in counts: the planner's figures, held to the code by a test.
#pragma once

#include <cstdint>

#include "ckks/core/parameters.h"

namespace velum::ckks {

struct OperationCost {
  std::uint64_t ntts = 0;          // transforms of N points, both directions
  std::uint64_t key_products = 0;  // limb products in key switches
  std::uint64_t conversions = 0;   // limb products in base conversions: sources times targets
  std::uint64_t products = 0;      // other limb products
  std::uint64_t permutations = 0;  // limbs moved by an automorphism
  bool operator==(const OperationCost&) const = default;
};
constexpr OperationCost operator+(const OperationCost& a, const OperationCost& b) {
  return {a.ntts + b.ntts, a.key_products + b.key_products, a.conversions + b.conversions,
          a.products + b.products, a.permutations + b.permutations};
}

// Below: a ciphertext of `limbs` limbs, `alpha` special primes.

constexpr OperationCost square_cost(std::uint64_t limbs) {
  return {.products = 3 * limbs};
}

constexpr OperationCost rescale_cost(std::uint64_t limbs) {
  const std::uint64_t left = limbs - 1;
  return {.ntts = 2 + 2 * left, .conversions = 2 * left, .products = 2 * left};
}

namespace detail {
// The inner product with the key at all limbs and special primes: every digit is lifted to the moduli outside
// it.
constexpr OperationCost key_inner_product(std::uint64_t limbs, std::uint64_t alpha) {
  const std::uint64_t d = digit_count(limbs, alpha), last = limbs - (d - 1) * alpha;
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

// The digits of a ciphertext lifted to all moduli, for any number of rotations; and then each of these.
constexpr OperationCost decompose_cost(std::uint64_t limbs, std::uint64_t alpha) {
  OperationCost c = detail::key_inner_product(limbs, alpha);
  c.key_products = 0;
  return c;
}
// `rescales`: the result has one limb fewer.
constexpr OperationCost rotate_decomposed_cost(std::uint64_t limbs, std::uint64_t alpha,
                                               bool rescales = false) {
  const std::uint64_t left = limbs - rescales, divisors = alpha + rescales;
  OperationCost c;
  c.key_products = 2 * digit_count(limbs, alpha) * (limbs + alpha);
  c.ntts = 2 * divisors + 2 * left;
  c.conversions = 2 * divisors * left;
  c.products = 2 * left + (rescales ? limbs : 0);  // the division, and P c0 added before it
  c.permutations = 2 * left;
  return c;
}
constexpr OperationCost rotate_cost(std::uint64_t limbs, std::uint64_t alpha, bool rescales = false) {
  return decompose_cost(limbs, alpha) + rotate_decomposed_cost(limbs, alpha, rescales);
}

// A rotation added to a sum over QP, and the division of such a sum.
constexpr OperationCost add_rotated_extended_cost(std::uint64_t limbs, std::uint64_t alpha) {
  OperationCost c;
  c.key_products = 2 * digit_count(limbs, alpha) * (limbs + alpha);
  c.products = limbs;
  c.permutations = 2 * (limbs + alpha);
  return c;
}
constexpr OperationCost divide_extended_cost(std::uint64_t limbs, std::uint64_t alpha,
                                             bool rescales = false) {
  const std::uint64_t left = limbs - rescales, divisors = alpha + rescales;
  OperationCost c;
  c.ntts = 2 * divisors + 2 * left;
  c.conversions = 2 * divisors * left;
  c.products = 2 * left;
  return c;
}

}  // namespace velum::ckks
