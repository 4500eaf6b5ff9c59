// The noise of each operation against its formula, as the planner uses it.
//
// Slots of a polynomial with independent coefficients of variance v have variance w v, where w = 2n in the
// real ring (a_0 + sum a_i (zeta^i + zeta^-i)) and n in the standard one (its real part alone has half of
// that). A product with s multiplies it by w 2/3, the variance of the slots of s; one with s^2 by w^2 4/9
// times a moment of the slots of s, which is 3 for real normal values (E s^4 = 3 (E s^2)^2) and 2 for complex
// ones.
#include <cmath>

#include "ring/samplers.h"
#include "support.h"

namespace velum::ckks::test {
namespace {

constexpr double kError = ring::kErrorDeviation * ring::kErrorDeviation;
constexpr double kTernary = 2.0 / 3, kRounding = 1.0 / 12;

class Noise : public testing::TestWithParam<std::tuple<RingType, std::size_t>> {
 protected:
  static ParametersLiteral make(RingType ring, std::size_t n) {
    // Rings above 1024 come with security only, so with short moduli.
    return n <= 1024 ? literal(ring, n, {40, 36, 36}, {47})
                     : literal(ring, n, {29, 24, 22}, {29.5}, Security::bits128);
  }
  Noise()
      : params(make(std::get<0>(GetParam()), std::get<1>(GetParam()))),
        real(params.ring_type() == RingType::real),
        w(static_cast<double>(params.n()) * (real ? 2 : 1)),
        visible(real ? 1 : 0.5) {}

  // rms over `rounds` keys and ciphertexts of the slots' difference from the expected, in units of 1 / scale.
  template <typename Body>
  double measured(int rounds, const Body& body) const {
    double sum = 0;
    for (int r = 0; r < rounds; ++r) {
      const auto secret = SecretKey::from_seed(params, Seed{static_cast<std::uint8_t>(r + 1)});
      sum += std::pow(body(secret, static_cast<std::uint32_t>(r)), 2);
    }
    return std::sqrt(sum / rounds);
  }
  // The key's errors, times digits uniform in [-q/2, q/2], divided by P; a digit a modulus.
  double key_noise() const {
    double sum = 0;
    for (const u64 q : params.literal().moduli) sum += std::pow(static_cast<double>(q), 2) / 12 * kError * w;
    return sum / std::pow(static_cast<double>(params.literal().special[0]), 2);
  }
  static void expect_ratio(double got, double variance, const char* what) {
    EXPECT_NEAR(got / std::sqrt(variance), 1, 0.12)
        << what << ": measured " << got << ", formula " << std::sqrt(variance);
  }

  Parameters params;
  bool real;
  double w, visible;
};

TEST_P(Noise, Fresh) {
  const double got = measured(8, [&](const SecretKey& secret, std::uint32_t seed) {
    const auto x = random_slots(params.slots(), seed);
    const auto c = expanded(Encryptor(params, secret, kRandomness).encrypt(x, 0x1p25, 1), params);
    return 0x1p25 * rms_difference(decrypted(Decryptor(params, secret), c, params), x);
  });
  expect_ratio(got, visible * w * (kError + kRounding), "fresh");
}

TEST_P(Noise, PublicKey) {
  const Encoder encoder(params.ring_type(), params.n());
  const double got = measured(8, [&](const SecretKey& secret, std::uint32_t seed) {
    const auto x = random_slots(params.slots(), seed);
    const auto key = generate_public_key(params, secret, kRandomness);
    const auto c = encrypt_public(params, key, encoder, x, 0x1p25, 1, kRandomness);
    return 0x1p25 * rms_difference(decrypted(Decryptor(params, secret), c, params), x);
  });
  // e u + e1 s + e0: two products with ternary polynomials.
  expect_ratio(got, visible * w * (kError * (2 * w * kTernary + 1) + kRounding), "public key");
}

TEST_P(Noise, Square) {
  const double scale = 0x1p22;
  const double got = measured(8, [&](const SecretKey& secret, std::uint32_t seed) {
    const auto x = random_slots(params.slots(), seed);
    const auto c = expanded(Encryptor(params, secret, kRandomness).encrypt(x, scale, 3), params);
    const Evaluator evaluator(params);
    Ciphertext square(params, 3, 3, scale * scale);
    evaluator.square(square.view(), c.view());
    auto expected = x;
    for (auto& e : expected) e *= e;
    return scale * scale * rms_difference(decrypted(Decryptor(params, secret), square, params), expected);
  });
  // 2 m e, with slots of m uniform in [-scale, scale]; e^2 is small beside it.
  expect_ratio(got, 4 * scale * scale / 3 * visible * w * (kError + kRounding), "square");
}

TEST_P(Noise, Rescale) {
  const double scale = 0x1p40;
  const double got = measured(12, [&](const SecretKey& secret, std::uint32_t seed) {
    const auto x = random_slots(params.slots(), seed);
    const auto c = expanded(Encryptor(params, secret, kRandomness).encrypt(x, scale, 3), params);
    const Evaluator evaluator(params);
    AlignedBuffer<u64> scratch(evaluator.scratch_words(3));
    const double after = scale / static_cast<double>(params.ring().q(2));
    Ciphertext down(params, 2, 2, after);
    evaluator.rescale(down.view(), c.view(), scratch.data());
    return after * rms_difference(decrypted(Decryptor(params, secret), down, params), x);
  });
  // Two roundings, r0 + r1 s; what was there before is divided by q.
  expect_ratio(got, visible * w * kRounding * (1 + w * kTernary), "rescale");
}

// The key's errors, times digits uniform in [-q/2, q/2], divided by P; then the roundings of the mod-down.
TEST_P(Noise, Relinearise) {
  const double scale = 0x1p20;
  const double got = measured(12, [&](const SecretKey& secret, std::uint32_t seed) {
    const auto x = random_slots(params.slots(), seed);
    const auto c = expanded(Encryptor(params, secret, kRandomness).encrypt(x, scale, 3), params);
    const auto keys = generate_keys(params, secret, {3}, kRandomness);
    const Evaluator evaluator(params);
    const Decryptor decryptor(params, secret);
    AlignedBuffer<u64> scratch(evaluator.scratch_words(3));
    Ciphertext square(params, 3, 3, 1), two(params, 2, 3, 1);
    evaluator.square(square.view(), c.view());
    evaluator.relinearise(two.view(), square.view(), keys.relinearise, scratch.data());
    // The difference itself, decrypted: nothing is lost to the size of the message.
    auto difference = square.clone();
    evaluator.subtract(difference.view(), square.view(), two.view());
    return rms_difference(decrypted(decryptor, difference, params), std::vector<double>(params.slots()));
  });
  expect_ratio(got, visible * w * (key_noise() + kRounding * (1 + w * kTernary)), "relinearise");
}

// A rotation is a key switch as well; of a sum over QP each rotation adds its key's noise, the division its
// rounding once.
TEST_P(Noise, Rotate) {
  const std::vector<std::uint32_t> steps = {1, 2, 5, 11};
  const auto run = [&](bool over_qp) {
    return measured(8, [&](const SecretKey& secret, std::uint32_t seed) {
      const auto x = random_slots(params.slots(), seed);
      const auto c = expanded(Encryptor(params, secret, kRandomness).encrypt(x, 0x1p20, 3), params);
      KeyList list;
      for (const auto r : steps) list.rotations.push_back({r, 3});
      const auto keys = generate_keys(params, secret, list, kRandomness);
      const Evaluator evaluator(params);
      AlignedBuffer<u64> scratch(evaluator.scratch_words(3)), digits(evaluator.decomposed_words(3)),
          sum(evaluator.extended_words(3));
      const auto lifted = evaluator.decompose(c.view(), digits.data(), scratch.data());
      Ciphertext total = c.clone(), moved(params, 2, 3, 1);
      total.set_scale(1);
      evaluator.start_extended(sum.data(), c.view());
      const auto before = decrypted(Decryptor(params, secret), total, params);
      auto expected = before;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        const ring::Rotation by(params.ring_type(), params.n(), steps[i]);
        evaluator.rotate_decomposed(moved.view(), lifted, keys.rotations[i], by, scratch.data());
        evaluator.add(total.view(), total.view(), moved.view());
        evaluator.add_rotated_extended(sum.data(), lifted, keys.rotations[i], by, scratch.data());
        for (std::size_t j = 0; j < expected.size(); ++j)
          expected[j] += before[(j + steps[i]) % expected.size()];
      }
      if (over_qp) evaluator.divide_extended(total.view(), sum.data(), 3, scratch.data());
      return rms_difference(decrypted(Decryptor(params, secret), total, params), expected);
    });
  };
  const double rounding = kRounding * (1 + w * kTernary), count = static_cast<double>(steps.size());
  expect_ratio(run(false), visible * w * count * (key_noise() + rounding), "rotate");
  expect_ratio(run(true), visible * w * (count * key_noise() + rounding), "rotations over QP");
}

INSTANTIATE_TEST_SUITE_P(Rings, Noise,
                         testing::Combine(testing::Values(RingType::real, RingType::standard),
                                          testing::Values(1024, 4096, 8192)),
                         [](const auto& i) {
                           return fmt::format("{}_n{}", ring::name(std::get<0>(i.param)),
                                              std::get<1>(i.param));
                         });

}  // namespace
}  // namespace velum::ckks::test
