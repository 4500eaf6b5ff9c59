// Prime search: the planner asks for primes near a wanted size, the parameters check what they are given.
#pragma once

#include <cstdint>
#include <vector>

namespace velum::ring {

bool is_prime(std::uint64_t n);  // deterministic Miller-Rabin for 64 bits

// The prime nearest to `target` with q = 1 mod `order`, not among `taken`, within the bounds of a modulus
// (kernels::modulus_in_range). Throws Error(user) where none is found within a factor of two.
std::uint64_t prime_near(double target, std::uint64_t order, const std::vector<std::uint64_t>& taken);

std::uint64_t power_mod(std::uint64_t base, std::uint64_t exponent, std::uint64_t q);
std::uint64_t inverse_mod(std::uint64_t a, std::uint64_t q);  // q prime
// The smallest primitive root of unity of the given order (a power of two) modulo q: deterministic.
std::uint64_t primitive_root(std::uint64_t order, std::uint64_t q);

}  // namespace velum::ring
