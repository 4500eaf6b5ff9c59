// Periodic plaintexts against the full encoder and transform: exhaustively on tiny rings, at random on
// others.
#include "ckks/core/periodic.h"

#include <fmt/format.h>

#include "support.h"

namespace velum::ckks::test {
namespace {

using testing::HasSubstr;

struct Shape {
  std::size_t n, period;
};

class Periodic : public testing::TestWithParam<Shape> {
 protected:
  std::size_t n = GetParam().n, period = GetParam().period;
  ring::Ring ring{
      RingType::real, n, {ring::prime_near(0x1p30, 4 * n, {}), ring::prime_near(0x1p47, 4 * n, {})}};
  PeriodicEncoder encoder{period};

  template <typename Integer>
  std::vector<Integer> encoded(const std::vector<double>& blocks, double factor) const {
    std::vector<Integer> out(period);
    std::vector<double> scratch(2 * period);
    encoder.encode(out, blocks, factor, scratch);
    return out;
  }
  // By the full encoder, in the ring of dimension n.
  std::vector<std::int64_t> in_full(const std::vector<double>& blocks, double factor) const {
    std::vector<double> slots(n);
    for (std::size_t j = 0; j < n; ++j) slots[j] = blocks[j % period];
    std::vector<std::int64_t> out(n);
    Encoder(RingType::real, n).encode(out, slots, factor);
    return out;
  }
  void expect_runs(const std::vector<std::int64_t>& coefficients) const {
    const std::vector<std::int32_t> narrow(coefficients.begin(), coefficients.end());
    for (std::size_t modulus = 0; modulus < ring.count(); ++modulus) {
      std::vector<std::int64_t> spread(n);
      for (std::size_t i = 0; i < period; ++i) spread[i * (n / period)] = coefficients[i];
      std::vector<u64> full(n), runs(period), again(period);
      kernels::table().from_int64(full.data(), spread.data(), n, ring.modulus(modulus));
      kernels::table().ntt_forward(full.data(), ring.ntt(modulus));
      periodic_residues(runs.data(), std::span<const std::int64_t>(coefficients), ring, modulus);
      periodic_residues(again.data(), std::span<const std::int32_t>(narrow), ring, modulus);
      EXPECT_EQ(runs, again);
      for (std::size_t k = 0; k < n; ++k) ASSERT_EQ(full[k], runs[k / (n / period)]) << modulus << " " << k;
    }
  }
};

TEST_P(Periodic, HasPCoefficientsAtTheMultiplesOfNOverP) {
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    const auto blocks = random_slots(period, seed, 5);
    const auto few = encoded<std::int64_t>(blocks, 0x1p24), all = in_full(blocks, 0x1p24);
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_LE(std::abs(all[i] - (i % (n / period) == 0 ? few[i / (n / period)] : 0)), 1)
          << i;  // ties may differ
    for (const auto c : few) EXPECT_LE(std::abs(static_cast<double>(c)), 5 * 0x1p24 + 0.5);
    const auto narrow = encoded<std::int32_t>(blocks, 0x1p24);
    EXPECT_TRUE(std::equal(few.begin(), few.end(), narrow.begin()));
  }
}

TEST_P(Periodic, IsConstantOnRuns) {
  // Every basis element; then random ones.
  for (std::size_t i = 0; i < std::min<std::size_t>(period, 64); ++i)
    for (const std::int64_t v : {1, -1, 7}) {
      std::vector<std::int64_t> c(period);
      c[i] = v;
      expect_runs(c);
    }
  for (const std::uint32_t seed : {4u, 5u})
    expect_runs(encoded<std::int64_t>(random_slots(period, seed), 0x1p29));
}

// Back through the full decoder: the slots repeat the blocks, with the stated error.
TEST_P(Periodic, RoundsByTheStatedError) {
  double squares = 0;
  std::size_t count = 0;
  const double factor = 0x1p12;
  for (std::uint32_t seed = 10; seed < 10 + std::max<std::size_t>(8, 4096 / period); ++seed) {
    const auto blocks = random_slots(period, seed, 3);
    const auto coefficients = encoded<std::int32_t>(blocks, factor);
    std::vector<double> spread(n), slots(n);
    for (std::size_t i = 0; i < period; ++i) spread[i * (n / period)] = coefficients[i];
    Encoder(RingType::real, n).decode(slots, spread, factor);
    for (std::size_t j = 0; j < n; ++j) {
      ASSERT_NEAR(slots[j], blocks[j % period], static_cast<double>(period) / factor) << j;
      squares += std::pow((slots[j] - blocks[j % period]) * factor, 2);
      ++count;
    }
  }
  const double expected = std::sqrt((2.0 * static_cast<double>(period) - 1) / 12);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(count)) / expected, 1, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Rings, Periodic,
                         testing::Values(Shape{16, 1}, Shape{16, 2}, Shape{32, 1}, Shape{32, 2}, Shape{32, 4},
                                         Shape{64, 8}, Shape{128, 16}, Shape{256, 32}, Shape{512, 64},
                                         Shape{1024, 4}, Shape{2048, 64}, Shape{8192, 1024}),
                         [](const auto& i) { return fmt::format("N{}P{}", i.param.n, i.param.period); });

// A product of a ciphertext with a periodic plaintext, run by run, and a sum.
TEST(PeriodicPlaintext, MultipliesAndIsAddedToACiphertext) {
  const std::size_t n = 128, period = 8;
  const Parameters params(literal(RingType::real, n, {45, 45}, {}));
  const auto secret = SecretKey::from_seed(params, Seed{5});
  const auto values = random_slots(n, 1), weights = random_slots(period, 2), bias = random_slots(period, 3);
  auto c = expanded(Encryptor(params, secret, kRandomness).encrypt(values, 0x1p30, 2), params);
  const PeriodicEncoder encoder(period);
  std::vector<std::int64_t> w(period), b(period);
  std::vector<double> scratch(2 * period);
  encoder.encode(w, weights, 0x1p20, scratch);
  encoder.encode(b, bias, 0x1p50, scratch);
  Ciphertext out(params, 2, 2, 0x1p50);
  const auto& k = kernels::table();
  for (std::size_t l = 0; l < 2; ++l) {
    const auto& m = params.ring().modulus(l);
    std::vector<u64> wr(period), br(period);
    periodic_residues(wr.data(), std::span<const std::int64_t>(w), params.ring(), l);
    periodic_residues(br.data(), std::span<const std::int64_t>(b), params.ring(), l);
    for (std::size_t p = 0; p < 2; ++p) {
      u64* to = out.view().limb(p, l);
      const u64* from = c.view().limb(p, l);
      for (std::size_t run = 0; run < period; ++run)
        k.run_product(&to, &from, {1, 1, &wr[run]}, run * (n / period), n / period, false, m);
    }
    k.add_runs(out.view().limb(0, l), out.view().limb(0, l), br.data(), period, n, m);
  }
  std::vector<double> expected(n);
  for (std::size_t j = 0; j < n; ++j) expected[j] = values[j] * weights[j % period] + bias[j % period];
  EXPECT_LT(largest_difference(decrypted(Decryptor(params, secret), out, params), expected), 1e-4);
}

TEST(PeriodicPlaintext, RefusesWhatDoesNotFit) {
  const PeriodicEncoder encoder(4);
  std::vector<std::int32_t> out(4);
  std::vector<double> scratch(8);
  const auto refused = [&](std::vector<double> v, double factor) {
    return user_error([&] { encoder.encode(out, v, factor, scratch); });
  };
  EXPECT_THAT(refused({1, 2, 3}, 1), HasSubstr("the period is 4"));
  EXPECT_THAT(refused({1, 2, 3, std::nan("")}, 1), HasSubstr("block 3"));
  EXPECT_THAT(refused({1, 2, 3, 4}, 0x1p29), HasSubstr("value 4 of block 3"));
  const ring::Ring real(RingType::real, 32, {ring::prime_near(0x1p30, 128, {})});
  const ring::Ring standard(RingType::standard, 32, {ring::prime_near(0x1p30, 128, {})});
  std::vector<std::int32_t> wide(8);
  std::vector<u64> residues(8);
  EXPECT_THAT(
      user_error([&] { periodic_residues(residues.data(), std::span<const std::int32_t>(wide), real, 0); }),
      HasSubstr("up to 4"));
  EXPECT_THAT(user_error([&] {
                periodic_residues(residues.data(), std::span<const std::int32_t>(out), standard, 0);
              }),
              HasSubstr("real ring"));
}

}  // namespace
}  // namespace velum::ckks::test
