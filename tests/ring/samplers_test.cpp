// Distributions: range, mean, variance and chi-square, on fixed seeds (so that a passing test passes always).
#include "ring/samplers.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "kernels/table.h"
#include "ring/primes.h"
#include "ring/randomness.h"

namespace velum::ring {
namespace {

using kernels::u64;

constexpr std::size_t kSamples = 1 << 20;

// Bounds of chi-square with `freedom` degrees at five deviations.
void expect_chi_square(double statistic, double freedom) {
  EXPECT_NEAR(statistic, freedom, 5 * std::sqrt(2 * freedom));
}

double binomial(int n, int k) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1));
}

TEST(Samplers, ErrorIsCentredBinomial) {
  RandomStream random(Seed{7}, 0);
  std::vector<std::int32_t> e(kSamples);
  sample_error(e, random);
  std::map<int, double> count;
  double sum = 0, squares = 0;
  for (const int x : e) {
    ASSERT_LE(std::abs(x), kErrorBound);
    ++count[x];
    sum += x;
    squares += x * x;
  }
  const double n = kSamples;
  EXPECT_NEAR(sum / n, 0, 5 * kErrorDeviation / std::sqrt(n));
  EXPECT_NEAR(squares / n, 10.5, 5 * 10.5 * std::sqrt(2 / n));
  EXPECT_GE(kErrorDeviation, 3.2);
  double statistic = 0, freedom = -1, tail = 0, tail_expected = 0;
  for (int x = -kErrorBound; x <= kErrorBound; ++x) {
    const double expected = n * binomial(42, 21 + x) / std::exp2(42);
    if (expected < 20) {  // pooled
      tail += count[x];
      tail_expected += expected;
      continue;
    }
    statistic += (count[x] - expected) * (count[x] - expected) / expected;
    ++freedom;
  }
  statistic += (tail - tail_expected) * (tail - tail_expected) / tail_expected;
  expect_chi_square(statistic, freedom + 1);
}

TEST(Samplers, ErrorsAreUncorrelated) {
  RandomStream random(Seed{8}, 0);
  std::vector<std::int32_t> e(kSamples);
  sample_error(e, random);
  for (const std::size_t lag : {1u, 2u, 8u, 64u}) {
    double sum = 0;
    for (std::size_t i = lag; i < e.size(); ++i) sum += e[i] * e[i - lag];
    EXPECT_NEAR(sum / kSamples, 0, 5 * 10.5 / std::sqrt(static_cast<double>(kSamples))) << lag;
  }
}

TEST(Samplers, TernaryIsUniform) {
  RandomStream random(Seed{9}, 0);
  std::vector<std::int8_t> s(kSamples);
  sample_ternary(s, random);
  std::map<int, double> count;
  for (const int x : s) {
    ASSERT_TRUE(x >= -1 && x <= 1);
    ++count[x];
  }
  double statistic = 0;
  for (int x = -1; x <= 1; ++x) statistic += std::pow(count[x] - kSamples / 3.0, 2) / (kSamples / 3.0);
  EXPECT_LT(statistic, 30);  // two degrees: a chance of 3 in ten million
}

TEST(Samplers, UniformResidues) {
  for (const double bits : {20.6, 22.0, 24.5, 32.0, 36.01, 40.3, 47.99}) {
    const u64 q = prime_near(std::exp2(bits), 128, {});
    const auto m = kernels::make_modulus(q);
    std::vector<u64> x(kSamples);
    expand_uniform(x.data(), x.size(), m, Seed{3}, 5);
    constexpr std::size_t kBins = 64;
    std::vector<double> count(kBins), low(kBins);
    for (const u64 v : x) {
      ASSERT_LT(v, q);
      ++count[static_cast<std::size_t>(static_cast<kernels::u128>(v) * kBins / q)];
      ++low[v % kBins];
    }
    for (const auto& c : {count, low}) {
      double statistic = 0;
      for (const double k : c) statistic += std::pow(k - kSamples / 64.0, 2) / (kSamples / 64.0);
      expect_chi_square(statistic, kBins - 1);
    }
  }
}

// Every variant of the kernels in turn, and the one before at the end.
template <typename Body>
void with_every_table(const Body& body) {
  const auto& before = kernels::table();
  for (const auto* t : kernels::available_tables()) {
    kernels::use_table(*t);
    body(t->name);
  }
  kernels::use_table(before);
}

// The definition of docs/formats.md, read literally: nothing of the fast path is used. Moduli below and above
// powers of two, the latter with every second candidate rejected.
TEST(Samplers, ExpansionIsTheDocumentedFormat) {
  for (const double bits : {21.0, 21.99, 23.001, 24.2, 28.0, 31.88, 32.003, 33.3, 36.0, 36.003, 40.001, 41.7,
                            45.5, 47.0001, 47.35, 47.9})
    for (const std::size_t n : {16u, 1024u, 8192u}) {
      const u64 q = prime_near(std::exp2(bits), 4 * n, {});
      Seed seed;
      for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(17 * i + n);
      const std::uint64_t stream = 0x0003000000000102;
      const auto width = static_cast<std::size_t>(std::bit_width(q)), w = (width + 7) / 8;
      std::vector<std::uint8_t> key_stream(20 * n * w + 4096);
      const std::uint8_t nonce[8] = {0x02, 0x01, 0, 0, 0, 0, 0x03, 0};
      crypto_stream_chacha20(key_stream.data(), key_stream.size(), nonce, seed.data());
      std::vector<u64> expected;
      for (std::size_t k = 0; expected.size() < n; ++k) {
        u64 v = 0;
        for (std::size_t b = 0; b < w; ++b) v |= u64{key_stream.at(k * w + b)} << (8 * b);
        v &= (u64{1} << width) - 1;
        if (v < q) expected.push_back(v);
      }
      with_every_table([&](const char* variant) {
        std::vector<u64> x(n + 1, 99);
        expand_uniform(x.data(), n, kernels::make_modulus(q), seed, stream);
        EXPECT_EQ(x.back(), 99u) << variant << ": written past the end";
        x.pop_back();
        EXPECT_EQ(x, expected) << variant << " " << bits << " " << n;
      });
    }
}

// The public key stream of the kernels is the library's, also where the counter carries into its upper half.
TEST(Samplers, PublicKeyStreamIsTheLibrarys) {
  Seed seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(29 * i + 3);
  const std::uint8_t nonce[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t blocks = 1; blocks <= 40; ++blocks)
    for (const u64 first : {u64{0}, u64{1}, (u64{1} << 32) - blocks / 2 - 1}) {
      std::vector<std::uint8_t> expected(64 * blocks), out(64 * blocks);
      crypto_stream_chacha20_xor_ic(expected.data(), expected.data(), expected.size(), nonce, first,
                                    seed.data());
      with_every_table([&](const char* variant) {
        kernels::table().key_stream(out.data(), blocks, seed.data(), 0x0807060504030201, first);
        EXPECT_EQ(out, expected) << variant << ": " << blocks << " blocks from " << first;
      });
    }
}

TEST(Random, StreamsAndSeedsDiffer) {
  const auto draw = [](const Seed& seed, std::uint64_t stream) {
    std::array<std::uint8_t, 64> out;
    RandomStream(seed, stream).fill(out);
    return out;
  };
  std::set<std::array<std::uint8_t, 64>> all;
  for (std::uint8_t s = 0; s < 4; ++s)
    for (std::uint64_t stream : {0ull, 1ull, 1ull << 16, 1ull << 63}) all.insert(draw(Seed{s}, stream));
  EXPECT_EQ(all.size(), 16u);
  EXPECT_EQ(draw(Seed{1}, 2), draw(Seed{1}, 2));
}

TEST(Random, ContinuesWholeBlocks) {
  std::array<std::uint8_t, 256> whole, parts;
  RandomStream(Seed{5}, 1).fill(whole);
  RandomStream r(Seed{5}, 1);
  r.fill(std::span(parts).first(64));
  r.fill(std::span(parts).subspan(64, 128));
  r.fill(std::span(parts).subspan(192, 64));
  EXPECT_EQ(whole, parts);
}

TEST(Randomness, SystemSeedsDoNotRepeat) {
  const auto randomness = Randomness::system();
  std::set<Seed> seeds;
  for (int i = 0; i < 500; ++i) {
    seeds.insert(randomness.seed({Purpose::ciphertext_uniform}));
    auto stream = randomness.stream({Purpose::ciphertext_error});
    Seed first;
    stream.fill(first);
    seeds.insert(first);
  }
  EXPECT_EQ(seeds.size(), 1000u);
}

// A stream of the same bytes is another one for every purpose, and no public expansion.
TEST(Randomness, PurposesAreApart) {
  const Randomness same([](std::span<std::uint8_t> out, const Draw&) { std::ranges::fill(out, 7); });
  std::set<Seed> streams;
  Seed published;
  published.fill(7);
  const auto note = [&](RandomStream&& stream) {
    Seed first;
    stream.fill(first);
    EXPECT_TRUE(streams.insert(first).second);
  };
  for (int p = 1; p <= 9; ++p)
    if (const auto purpose = static_cast<Purpose>(p); !travels(purpose)) note(same.stream({purpose}));
  for (std::uint64_t nonce = 0; nonce < 100; ++nonce) note(RandomStream(published, nonce));
  EXPECT_EQ(streams.size(), 106u);
}

TEST(Randomness, SecretsAndSeedsThatTravelAreNotMixedUp) {
  const auto randomness = Randomness::system();
  EXPECT_THROW((void)randomness.seed({Purpose::ciphertext_error}), Error);
  EXPECT_THROW((void)randomness.stream({Purpose::ciphertext_uniform}), Error);
}

}  // namespace
}  // namespace velum::ring
