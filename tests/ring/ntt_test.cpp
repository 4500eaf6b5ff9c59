// The transform against schoolbook arithmetic: exhaustively over products of basis elements on tiny rings, on
// random polynomials, and against its own definition as evaluation at roots of unity.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "ring/primes.h"
#include "ring/ring.h"

namespace velum::ring {
namespace {

using Poly = std::vector<u64>;

u64 multiply_mod(u64 a, u64 b, u64 q) {
  return static_cast<u64>(static_cast<kernels::u128>(a) * b % q);
}

// v times the basis element of index k (which may be negative or past the end) added to out. The basis is
// {1, X^i + X^-i} with X^2n = -1 in the real ring and {X^i} with X^n = -1 in the standard one.
void add_basis(Poly& out, RingType ring, std::int64_t k, u64 v, u64 q) {
  const auto n = static_cast<std::int64_t>(out.size());
  const auto negate = [&] { v = v == 0 ? 0 : q - v; };
  if (ring == RingType::standard) {
    if (k >= n) {
      k -= n;
      negate();
    }
  } else {
    k = std::abs(k);
    if (k == n) return;  // X^n + X^-n = 0, as X^n = i and X^-n = -i
    if (k > n) {
      k = 2 * n - k;
      negate();
    }
    if (k == 0) v = v * 2 % q;
  }
  auto& x = out[static_cast<std::size_t>(k)];
  x = (x + v) % q;
}

Poly schoolbook(const Poly& a, const Poly& b, RingType ring, u64 q) {
  Poly out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j) {
      const u64 v = multiply_mod(a[i], b[j], q);
      const auto x = static_cast<std::int64_t>(i), y = static_cast<std::int64_t>(j);
      if (ring == RingType::standard || i == 0 || j == 0) {
        add_basis(out, ring, x + y,
                  ring == RingType::real && i + j == 0 ? multiply_mod(v, (q + 1) / 2, q) : v, q);
      } else {
        add_basis(out, ring, x + y, v, q);
        add_basis(out, ring, x - y, v, q);
      }
    }
  return out;
}

Poly product(Poly a, Poly b, const kernels::NttTables& t) {
  const auto& k = kernels::table();
  k.ntt_forward(a.data(), t);
  k.ntt_forward(b.data(), t);
  k.multiply(a.data(), a.data(), b.data(), a.size(), t.modulus);
  k.ntt_inverse(a.data(), t);
  return a;
}

Poly random_poly(std::size_t n, u64 q, std::mt19937_64& g) {
  Poly p(n);
  for (auto& x : p) x = g() % q;
  return p;
}

class Transform : public testing::TestWithParam<std::tuple<RingType, std::size_t, double>> {
 protected:
  RingType ring = std::get<0>(GetParam());
  std::size_t n = std::get<1>(GetParam());
  u64 q = prime_near(std::exp2(std::get<2>(GetParam())), root_order(ring, n), {});
  Ntt ntt{ring, n, q};
  std::mt19937_64 generator{n + q};
};

class SmallTransform : public Transform {};  // schoolbook is slow
class TinyTransform : public Transform {};   // exhaustive

TEST_P(TinyTransform, AllProductsOfBasisElements) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (const u64 v : {u64{1}, q - 1}) {
        Poly a(n), b(n);
        a[i] = v;
        b[j] = q - 1;
        ASSERT_EQ(product(a, b, ntt.tables()), schoolbook(a, b, ring, q)) << i << " " << j;
      }
}

TEST_P(SmallTransform, RandomProducts) {
  for (int round = 0; round < 4; ++round) {
    const Poly a = random_poly(n, q, generator), b = random_poly(n, q, generator);
    ASSERT_EQ(product(a, b, ntt.tables()), schoolbook(a, b, ring, q));
  }
  const Poly largest(n, q - 1);
  EXPECT_EQ(product(largest, largest, ntt.tables()), schoolbook(largest, largest, ring, q));
}

TEST_P(Transform, RoundTrip) {
  const Poly a = random_poly(n, q, generator);
  Poly b = a;
  kernels::table().ntt_forward(b.data(), ntt.tables());
  kernels::table().ntt_inverse(b.data(), ntt.tables());
  EXPECT_EQ(a, b);
}

// Leaf k evaluates at zeta^e with e as the tree says; in the real ring at X and 1/X together.
TEST_P(SmallTransform, IsEvaluation) {
  const u64 order = root_order(ring, n), zeta = primitive_root(order, q);
  std::vector<u64> exponent(2 * n);
  exponent[1] = n;
  for (std::size_t k = 2; k < 2 * n; ++k)
    exponent[k] = (exponent[k / 2] / 2 + (k % 2 ? order / 2 : 0)) % order;
  const Poly a = random_poly(n, q, generator);
  Poly b = a;
  kernels::table().ntt_forward(b.data(), ntt.tables());
  for (std::size_t k = 0; k < n; ++k) {
    const u64 point = power_mod(zeta, exponent[n + k], q), inverse = inverse_mod(point, q);
    u64 sum = a[0], up = 1, down = 1;
    for (std::size_t i = 1; i < n; ++i) {
      up = multiply_mod(up, point, q);
      down = multiply_mod(down, inverse, q);
      sum = (sum + multiply_mod(a[i], ring == RingType::real ? (up + down) % q : up, q)) % q;
    }
    ASSERT_EQ(b[k], sum) << k;
  }
}

// A constant has the same value at every point: the engine adds biases so.
TEST_P(Transform, ConstantsStayConstant) {
  Poly a(n);
  a[0] = q - 5;
  kernels::table().ntt_forward(a.data(), ntt.tables());
  EXPECT_EQ(a, Poly(n, q - 5));
}

const auto kRings = testing::Values(RingType::real, RingType::standard);
const auto kBits = testing::Values(22.5, 36, 47.9);
INSTANTIATE_TEST_SUITE_P(Rings, TinyTransform, testing::Combine(kRings, testing::Values(16, 32), kBits));
INSTANTIATE_TEST_SUITE_P(Rings, SmallTransform,
                         testing::Combine(kRings, testing::Values(16, 32, 256), kBits));
INSTANTIATE_TEST_SUITE_P(Rings, Transform,
                         testing::Combine(kRings, testing::Values(16, 1024, 8192, 65536), kBits));

TEST(Ntt, RefusesUnsuitableModuli) {
  const u64 q = prime_near(std::exp2(30), 64, {});
  EXPECT_THROW(Ntt(RingType::real, 16, q + 64), Error);  // composite, or not 1 mod 64
  EXPECT_THROW(Ntt(RingType::real, 24, q), Error);
  EXPECT_THROW(Ntt(RingType::real, std::size_t{1} << 40, q), Error);
}

}  // namespace
}  // namespace velum::ring
