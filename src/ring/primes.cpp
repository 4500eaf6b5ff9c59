#include "ring/primes.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "kernels/types.h"

namespace velum::ring {

namespace {

using kernels::u128;
using u64 = std::uint64_t;

u64 multiply_mod(u64 a, u64 b, u64 q) {
  return static_cast<u64>(static_cast<u128>(a) * b % q);
}

// n passes one round of Miller-Rabin: with n - 1 = d 2^s, a^d = 1 or a^(d 2^r) = -1 for some r < s.
bool passes(u64 n, u64 a, u64 d, int s) {
  u64 x = power_mod(a, d, n);
  if (x == 1 || x == n - 1) return true;
  for (int r = 1; r < s; ++r) {
    x = multiply_mod(x, x, n);
    if (x == n - 1) return true;
  }
  return false;
}

}  // namespace

u64 power_mod(u64 base, u64 exponent, u64 q) {
  u64 result = 1 % q;
  base %= q;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result = multiply_mod(result, base, q);
    base = multiply_mod(base, base, q);
  }
  return result;
}

u64 inverse_mod(u64 a, u64 q) {
  return power_mod(a, q - 2, q);
}

bool is_prime(u64 n) {
  if (n < 2) return false;
  // These twelve bases decide every n below 3.3 * 10^24 (Sorenson and Webster 2015), hence all of 64 bits.
  constexpr u64 bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  for (const u64 p : bases)
    if (n % p == 0) return n == p;
  const int s = std::countr_zero(n - 1);
  return std::ranges::all_of(bases, [&](u64 a) { return passes(n, a, (n - 1) >> s, s); });
}

u64 prime_near(double target, u64 order, const std::vector<u64>& taken) {
  const double low = std::max(target / 2, static_cast<double>(kernels::kModulusAbove));
  const double high = std::min(target * 2, static_cast<double>(kernels::kModulusBelow));
  if (std::isfinite(target) && low < high) {
    const double step = static_cast<double>(order);
    const double centre = std::round((target - 1) / step);
    const auto suits = [&](double k) {
      const double value = k * step + 1;  // exact: below 2^49
      if (value <= low || value >= high) return u64{0};
      const auto q = static_cast<u64>(value);
      return std::ranges::find(taken, q) == taken.end() && is_prime(q) ? q : u64{0};
    };
    // Candidates in order of distance: at each step the nearer side first.
    const double nearer = centre * step + 1 > target ? -1 : 1;
    for (double d = 0; d * step <= high; ++d)
      for (const double side : {nearer, -nearer})
        if (const u64 q = suits(centre + side * d)) return q;
  }
  fail_user("no free prime q = 1 mod {} within a factor of two of 2^{:.2f}, {}; ask for another size", order,
            std::log2(target), kernels::kModulusRange);
}

u64 primitive_root(u64 order, u64 q) {
  if (!std::has_single_bit(order) || (q - 1) % order != 0)
    fail_user("modulus {} has no root of unity of order {}: it must be 1 mod {}", q, order, order);
  // g = c^((q-1)/order) has exactly this order iff g^(order/2) = -1; half of all c do.
  u64 g = 0;
  for (u64 c = 2; g == 0; ++c) {
    const u64 candidate = power_mod(c, (q - 1) / order, q);
    if (order == 1 || power_mod(candidate, order / 2, q) == q - 1) g = candidate;
  }
  // The others are the odd powers of g. The smallest is the same whatever g was found first.
  const u64 square = multiply_mod(g, g, q);
  u64 best = g;
  for (u64 i = 1, x = g; i < order / 2; ++i) {
    x = multiply_mod(x, square, q);
    best = std::min(best, x);
  }
  return best;
}

}  // namespace velum::ring
