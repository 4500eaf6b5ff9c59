// Memory that the evaluator's operations take beside ciphertexts, in words: what it asks its callers for, and
// what the planner counts on.
#pragma once

#include "ckks/core/parameters.h"

namespace velum::ckks {

// Below: a ciphertext of `limbs` limbs, `alpha` special primes, ring dimension n.

// Scratch memory that suffices for each operation: it is what a key switch takes whose result is rescaled in
// the same division (eval/key_switch.cpp, eval/rotate.cpp), and others take less. The switched polynomial's
// coefficients [limbs] and lifted digits [digits], both polynomials of the result at the divisor's moduli
// [2 (alpha + 1)] and at the modulus in work [2], and the remainder's lift [1], in limbs; and a byte a
// coefficient for each digit and both remainders.
constexpr std::size_t scratch_words(std::size_t limbs, std::size_t alpha, std::size_t n) {
  const std::size_t digits = digit_count(limbs, alpha), bytes = (digits + 2) * n;
  return (limbs + digits + 2 * (alpha + 1) + 3) * n + (bytes + 7) / 8;
}

// The lifted digits that all rotations of a ciphertext share: each digit at all limbs and special primes,
// less its own moduli, where the ciphertext itself is the digit. Every limb belongs to one digit, so that
// there are `limbs` of these in all.
constexpr std::size_t decomposed_words(std::size_t limbs, std::size_t alpha, std::size_t n) {
  return (digit_count(limbs, alpha) * (limbs + alpha) - limbs) * n;
}

// A sum of rotations over QP: two polynomials at all limbs and special primes.
constexpr std::size_t extended_words(std::size_t limbs, std::size_t alpha, std::size_t n) {
  return 2 * (limbs + alpha) * n;
}

}  // namespace velum::ckks
