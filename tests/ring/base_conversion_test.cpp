#include "ring/base_conversion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "ring/primes.h"

namespace velum::ring {
namespace {

// Centred integers of up to two moduli, exactly: |x| < 2^95.
using Wide = __int128;

u64 residue(Wide x, u64 q) {
  const auto r = static_cast<std::int64_t>(x % static_cast<Wide>(q));
  return r < 0 ? static_cast<u64>(r) + q : static_cast<u64>(r);
}

Ring make_ring(const std::vector<double>& bits) {
  std::vector<u64> moduli;
  for (const double b : bits) moduli.push_back(prime_near(std::exp2(b), 128, moduli));
  return Ring(RingType::real, 32, moduli);
}

TEST(BaseConversion, KeepsTheCentredInteger) {
  const Ring ring = make_ring({30, 36, 47.9, 22, 41});
  std::mt19937_64 g(1);
  const std::vector<std::vector<std::size_t>> cases = {{0}, {2}, {0, 1}, {1, 2}, {2, 4}};
  for (const auto& sources : cases) {
    Wide product = 1;
    for (const auto i : sources) product *= static_cast<Wide>(ring.q(i));
    std::vector<std::size_t> targets = {0, 1, 2, 3, 4};
    const BaseConversion c(ring, sources, targets);
    EXPECT_EQ(c.sources(), sources.size());
    EXPECT_EQ(c.targets(), 5u);
    constexpr std::size_t n = 512;
    std::vector<Wide> x(n);
    for (auto& v : x) {
      const Wide raw = (static_cast<Wide>(g()) << 62 | static_cast<Wide>(g() >> 2)) % product;
      v = raw - product / 2;  // all of [-M/2, M/2]
    }
    x[0] = 0;
    x[1] = 1;
    x[2] = -1;
    std::vector<std::vector<u64>> in, out(5, std::vector<u64>(n));
    std::vector<const u64*> in_rows;
    std::vector<u64*> out_rows;
    for (const auto i : sources) {
      in.emplace_back(n);
      for (std::size_t k = 0; k < n; ++k) in.back()[k] = residue(x[k], ring.q(i));
    }
    for (const auto& row : in) in_rows.push_back(row.data());
    for (auto& row : out) out_rows.push_back(row.data());
    kernels::base_convert(kernels::table(), out_rows.data(), in_rows.data(), n, c.view());
    for (std::size_t j = 0; j < 5; ++j)
      for (std::size_t k = 0; k < n; ++k) ASSERT_EQ(out[j][k], residue(x[k], ring.q(j))) << j << " " << k;
  }
}

}  // namespace
}  // namespace velum::ring
