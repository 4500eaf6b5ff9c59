// The planner's noise formulas against noise that is measured: neither is taken from the other.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "ckks/client/client.h"
#include "ckks/core/periodic.h"
#include "ckks/eval/evaluator.h"
#include "plan/choose/noise.h"
#include "ring/primes.h"

namespace velum::test {
namespace {

using namespace ckks;

ParametersLiteral literal_of(RingType ring, std::size_t n, const std::vector<double>& bits, double special) {
  ParametersLiteral p;
  p.ring = ring;
  p.n = n;
  p.security = Security::none;
  std::vector<u64> taken;
  for (const double b : bits) {
    taken.push_back(ring::prime_near(std::exp2(b), ring::root_order(ring, n), taken));
    p.moduli.push_back(taken.back());
  }
  p.special = {ring::prime_near(std::exp2(special), ring::root_order(ring, n), taken)};
  return p;
}

class NoiseEstimate : public testing::TestWithParam<RingType> {
 protected:
  static constexpr std::size_t kN = 1024;
  static constexpr int kRounds = 12;

  Parameters params{literal_of(GetParam(), kN, {38, 36, 36}, 38.2)};
  ring::Randomness random = ring::Randomness::system();
  std::vector<double> x = [this] {
    std::mt19937 g(5);
    std::uniform_real_distribution<double> d(-1, 1);
    std::vector<double> v(params.slots());
    for (auto& s : v) s = d(g);
    return v;
  }();

  static Ciphertext expanded(const SeededCiphertext& c, const Parameters& params) {
    Ciphertext out(params, 2, c.limbs, c.scale);
    expand(out.view(), c, params);
    return out;
  }
  static double mean_square(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum / static_cast<double>(a.size());
  }
  // Mean of body(secret) over some secrets.
  template <typename Body>
  double measured(const Body& body) const {
    double sum = 0;
    for (int r = 0; r < kRounds; ++r) sum += body(SecretKey::generate(params, random));
    return sum / kRounds;
  }
};

TEST_P(NoiseEstimate, FreshCiphertexts) {
  constexpr double kScale = 0x1p25;
  const double got = measured([&](const SecretKey& secret) {
    const auto c = expanded(Encryptor(params, secret, random).encrypt(x, kScale, 1), params);
    std::vector<double> y(params.slots());
    Decryptor(params, secret).decrypt(y, c.view(), kScale);
    return kScale * kScale * mean_square(x, y);
  });
  EXPECT_NEAR(got / plan::fresh_variance(GetParam(), kN), 1, 0.15);
}

TEST_P(NoiseEstimate, CiphertextsOfAPublicKey) {
  constexpr double kScale = 0x1p25;
  const double got = measured([&](const SecretKey& secret) {
    const auto key = generate_public_key(params, secret, random);
    const auto c = encrypt_public(params, key, Encoder(GetParam(), kN), x, kScale, 1, random);
    std::vector<double> y(params.slots());
    Decryptor(params, secret).decrypt(y, c.view(), kScale);
    return kScale * kScale * mean_square(x, y);
  });
  EXPECT_NEAR(got / plan::public_fresh_variance(GetParam(), kN), 1, 0.15);
}

TEST_P(NoiseEstimate, RoundingAfterADivision) {
  constexpr double kScale = 0x1p44;
  const double got = measured([&](const SecretKey& secret) {
    const auto c = expanded(Encryptor(params, secret, random).encrypt(x, kScale, 3), params);
    const Evaluator evaluator(params);
    AlignedBuffer<u64> scratch(evaluator.scratch_words(3));
    const double after = kScale / static_cast<double>(params.ring().q(2));
    Ciphertext down(params, 2, 2, after);
    evaluator.rescale(down.view(), c.view(), scratch.data());
    std::vector<double> y(params.slots());
    Decryptor(params, secret).decrypt(y, down.view(), after);
    return after * after * mean_square(x, y);
  });
  EXPECT_NEAR(got / plan::rounding_variance(GetParam(), kN), 1, 0.25);
}

// At most: digits are smaller than P, the first by 0.2 bits, the others by 2.
TEST_P(NoiseEstimate, KeySwitches) {
  const double got = measured([&](const SecretKey& secret) {
    const auto keys = generate_keys(params, secret, {3}, random);
    const auto c = expanded(Encryptor(params, secret, random).encrypt(x, 0x1p20, 3), params);
    const Evaluator evaluator(params);
    AlignedBuffer<u64> scratch(evaluator.scratch_words(3));
    Ciphertext square(params, 3, 3, 1), two(params, 2, 3, 1);
    evaluator.square(square.view(), c.view());
    evaluator.relinearise(two.view(), square.view(), keys.relinearise, scratch.data());
    evaluator.subtract(square.view(), square.view(), two.view());
    std::vector<double> y(params.slots());
    Decryptor(params, secret).decrypt(y, square.view(), 1);
    return mean_square(y, std::vector<double>(y.size()));
  });
  const double estimate =
      plan::key_switch_variance(GetParam(), kN, 3) + plan::rounding_variance(GetParam(), kN);
  EXPECT_LT(got, estimate);
  EXPECT_GT(got, estimate / 6);
  EXPECT_GT(plan::key_switch_variance(GetParam(), kN, 3), 2.9 * plan::key_switch_variance(GetParam(), kN, 1));
}

INSTANTIATE_TEST_SUITE_P(Rings, NoiseEstimate, testing::Values(RingType::real, RingType::standard),
                         [](const auto& i) { return std::string(ring::name(i.param)); });

// A slot is a_0 + 2 sum a_i cos of what rounding left of each coefficient.
TEST(NoiseEstimatePeriodic, RoundedWeights) {
  for (const std::size_t period : {2u, 16u, 64u}) {
    const PeriodicEncoder encoder(period);
    std::mt19937 g(7);
    std::uniform_real_distribution<double> d(-1, 1);
    std::vector<double> blocks(period), scratch(2 * period);
    std::vector<std::int64_t> coarse(period), fine(period);
    constexpr int kRounds = 400;
    double sum = 0;
    for (int r = 0; r < kRounds; ++r) {
      for (auto& b : blocks) b = d(g);
      encoder.encode(coarse, blocks, 0x1p12, scratch);
      encoder.encode(fine, blocks, 0x1p40, scratch);
      for (std::size_t i = 0; i < period; ++i) {
        const double left = static_cast<double>(coarse[i]) - static_cast<double>(fine[i]) * 0x1p-28;
        sum += (i == 0 ? 1 : 2) * left * left / kRounds;
      }
    }
    EXPECT_NEAR(sum / plan::periodic_rounding(static_cast<double>(period)), 1, 0.15) << period;
  }
}

}  // namespace
}  // namespace velum::test
