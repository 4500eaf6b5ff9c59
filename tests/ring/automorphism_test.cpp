// Rotations against their definition: X -> X^(5^r) on coefficients, and a shift of the slots of decision 002.
#include "ring/automorphism.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "base/error.h"
#include "ring/primes.h"

namespace velum::ring {
namespace {

using Poly = std::vector<u64>;

// X -> X^g on coefficients: exponents times g, modulo X^n = -1, or X^2n = -1 with X^k and X^-k together.
Poly on_coefficients(const Poly& a, RingType type, u64 g, u64 q) {
  const u64 n = a.size(), order = root_order(type, n), half = order / 2;  // X^half = -1
  Poly out(n);
  for (u64 i = 0; i < n; ++i) {
    u64 e = i * g % order;
    bool negative = e >= half;
    if (negative) e -= half;
    if (type == RingType::real && e > n) {  // X^e = -X^-(half - e), half = 2n
      e = half - e;
      negative = !negative;
    }
    out[e] = negative && a[i] != 0 ? q - a[i] : a[i];
  }
  return out;
}

// The value at a point x of order root_order.
u64 evaluate(const Poly& a, RingType type, u64 x, u64 q) {
  const auto times = [q](u64 s, u64 t) { return static_cast<u64>(static_cast<kernels::u128>(s) * t % q); };
  const u64 inverse = inverse_mod(x, q);
  u64 sum = a[0], up = 1, down = 1;
  for (std::size_t i = 1; i < a.size(); ++i) {
    up = times(up, x);
    down = times(down, inverse);
    sum = (sum + times(a[i], type == RingType::real ? (up + down) % q : up)) % q;
  }
  return sum;
}

class Rotations : public testing::TestWithParam<std::tuple<RingType, std::size_t>> {
 protected:
  RingType type = std::get<0>(GetParam());
  std::size_t n = std::get<1>(GetParam()), slots = slot_count(type, n);
  u64 q = prime_near(std::exp2(30), root_order(type, n), {});
  Ntt ntt{type, n, q};
  Poly random(std::uint64_t seed) const {
    std::mt19937_64 g(seed);
    Poly p(n);
    for (auto& x : p) x = g() % q;
    return p;
  }
  Poly rotated(Poly a, std::int64_t steps) const {
    const Rotation by(type, n, steps);
    kernels::table().ntt_forward(a.data(), ntt.tables());
    Poly out(n);
    for (std::size_t k = 0; k < n; ++k) out[k] = a[by.source()[k]];
    kernels::table().ntt_inverse(out.data(), ntt.tables());
    return out;
  }
};

TEST_P(Rotations, AreTheAutomorphismOnCoefficients) {
  u64 g = 1;
  for (std::size_t r = 0; r < slots; ++r, g = g * 5 % root_order(type, n)) {
    const Poly a = random(r);
    EXPECT_EQ(rotated(a, static_cast<std::int64_t>(r)), on_coefficients(a, type, g, q)) << r;
  }
}

TEST_P(Rotations, BringSlotJPlusStepsToSlotJ) {
  const u64 zeta = primitive_root(root_order(type, n), q);
  const auto slots_of = [&](const Poly& a) {
    Poly v;
    for (std::size_t j = 0, e = 1; j < slots; ++j, e = e * 5 % root_order(type, n))
      v.push_back(evaluate(a, type, power_mod(zeta, e, q), q));
    return v;
  };
  const Poly a = random(5), before = slots_of(a);
  const auto m = static_cast<std::int64_t>(slots);
  for (std::int64_t r = -m; r <= m; ++r) {
    const Poly after = slots_of(rotated(a, r));
    for (std::int64_t j = 0; j < m; ++j)
      EXPECT_EQ(after[static_cast<std::size_t>(j)], before[static_cast<std::size_t>((j + r + m) % m)])
          << r << " " << j;
  }
}

TEST_P(Rotations, KeepAlignedGroupsTogether) {
  for (std::size_t r = 0; r < slots; ++r) {
    const Rotation by(type, n, static_cast<std::int64_t>(r));
    EXPECT_EQ(std::set<std::uint32_t>(by.source().begin(), by.source().end()).size(), n);
    for (std::size_t group = 2; group <= n; group *= 2)
      for (std::size_t k = 0; k < n; ++k)
        EXPECT_EQ(by.source()[k] / group, by.source()[k / group * group] / group) << r << " " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(TinyRings, Rotations,
                         testing::Combine(testing::Values(RingType::real, RingType::standard),
                                          testing::Values(8, 16, 32, 64)),
                         [](const auto& i) {
                           return std::string(name(std::get<0>(i.param))) +
                                  std::to_string(std::get<1>(i.param));
                         });

TEST(Rotation, NormalisesItsSteps) {
  EXPECT_EQ(normalised_steps(-1, 64), 63u);
  EXPECT_EQ(normalised_steps(64, 64), 0u);
  EXPECT_EQ(Rotation(RingType::real, 64, -1).steps(), 63u);
  EXPECT_EQ(Rotation(RingType::standard, 64, -1).steps(), 31u);
  EXPECT_THROW(Rotation(RingType::real, 12, 1), Error);
}

}  // namespace
}  // namespace velum::ring
