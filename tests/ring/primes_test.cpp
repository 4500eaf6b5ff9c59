#include "ring/primes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace velum::ring {
namespace {

TEST(Primes, AgreesWithTrialDivision) {
  for (std::uint64_t n = 0; n < 20000; ++n) {
    bool prime = n >= 2;
    for (std::uint64_t d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
    ASSERT_EQ(is_prime(n), prime) << n;
  }
}

TEST(Primes, RefusesStrongPseudoprimes) {
  for (const std::uint64_t n : {2047u, 1373653u, 25326001u, 3215031751u}) EXPECT_FALSE(is_prime(n)) << n;
  EXPECT_FALSE(is_prime(3825123056546413051u));   // a strong pseudoprime to the nine smallest prime bases
  EXPECT_FALSE(is_prime(18446744065119617025u));  // 4294967295^2
  EXPECT_TRUE(is_prime(18446744073709551557u));   // the largest below 2^64
  EXPECT_TRUE(is_prime((std::uint64_t{1} << 61) - 1));
}

TEST(Primes, FindsTheNearest) {
  const std::uint64_t order = 4 * 8192;
  std::vector<std::uint64_t> taken;
  for (const double bits : {22.0, 30.0, 36.0, 36.0, 36.0, 47.9}) {
    const double target = std::exp2(bits);
    const auto q = prime_near(target, order, taken);
    EXPECT_EQ(q % order, 1u);
    EXPECT_TRUE(is_prime(q));
    EXPECT_EQ(std::ranges::count(taken, q), 0);
    const double distance = std::abs(static_cast<double>(q) - target);
    // No free prime nearer, on either side.
    const auto first = static_cast<std::uint64_t>(std::max(target - distance, 1048577.0)) / order * order + 1;
    for (std::uint64_t other = first; static_cast<double>(other) < target + distance; other += order)
      if (std::abs(static_cast<double>(other) - target) < distance && is_prime(other)) {
        EXPECT_EQ(std::ranges::count(taken, other), 1) << other << " is nearer than " << q;
      }
    taken.push_back(q);
  }
}

TEST(Primes, RefusesImpossibleSizes) {
  EXPECT_THROW(prime_near(std::exp2(50), 1 << 15, {}), Error);
  EXPECT_THROW(prime_near(std::exp2(18), 1 << 15, {}), Error);
  EXPECT_THROW(prime_near(std::nan(""), 1 << 15, {}), Error);
  EXPECT_LT(prime_near(std::exp2(47.999), 1 << 15, {}), (std::uint64_t{1} << 48) - (std::uint64_t{1} << 33));
}

TEST(Primes, SmallestPrimitiveRoot) {
  const std::uint64_t order = 64, q = prime_near(std::exp2(21), order, {});
  const auto root = primitive_root(order, q);
  std::uint64_t expected = 2;
  while (power_mod(expected, order / 2, q) != q - 1) ++expected;
  EXPECT_EQ(root, expected);
  EXPECT_EQ(power_mod(root, order, q), 1u);
  EXPECT_THROW(primitive_root(std::uint64_t{1} << 30, q), Error);
}

TEST(Primes, Inverse) {
  const std::uint64_t q = prime_near(std::exp2(40), 1 << 10, {});
  for (std::uint64_t a = 1; a < 100; ++a)
    EXPECT_EQ(static_cast<std::uint64_t>(static_cast<unsigned __int128>(inverse_mod(a, q)) * a % q), 1u);
}

}  // namespace
}  // namespace velum::ring
