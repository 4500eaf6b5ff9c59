// What is drawn, for what, and where it ends: a source of the test's own hands out seeds and remembers them.
// Errors are then found again in keys and ciphertexts with the secret that the test knows.
#include "ring/randomness.h"

#include <map>
#include <mutex>
#include <set>

#include "ring/samplers.h"
#include "support.h"

namespace velum::ckks::test {
namespace {

using ring::Draw;
using ring::Purpose;
using Error32 = std::vector<std::int32_t>;

constexpr double kSigma = ring::kErrorDeviation;

// Hands out 32 bytes that are different each time, and the same for the same draws in the same order.
class Recorder {
 public:
  explicit Recorder(std::uint32_t seed) : next_(seed) {}

  ring::Randomness randomness() {
    return ring::Randomness([this](std::span<std::uint8_t> out, const Draw& draw) {
      const std::lock_guard lock(mutex_);
      Seed bytes{};
      for (auto& b : bytes) b = static_cast<std::uint8_t>(next_());
      ASSERT_EQ(out.size(), bytes.size());
      std::ranges::copy(bytes, out.begin());
      draws_.emplace_back(draw, bytes);
    });
  }
  const std::vector<std::pair<Draw, Seed>>& draws() const { return draws_; }
  std::vector<std::pair<Draw, Seed>> taken() { return std::exchange(draws_, {}); }

 private:
  std::mutex mutex_;
  std::mt19937 next_;
  std::vector<std::pair<Draw, Seed>> draws_;
};

Error32 expected_error(const Seed& seed, std::uint64_t nonce, std::size_t n) {
  Error32 e(n);
  ring::RandomStream random(seed, nonce);
  ring::sample_error(e, random);
  return e;
}
Error32 expected_error(const std::pair<Draw, Seed>& draw, std::size_t n) {
  return expected_error(draw.second, ring::secret_nonce(draw.first.purpose), n);
}

// An NTT limb of small coefficients, as integers.
Error32 centred(std::vector<u64> limb, std::size_t modulus, const Parameters& params) {
  kernels::table().ntt_inverse(limb.data(), params.ring().ntt(modulus));
  const auto q = static_cast<std::int64_t>(params.ring().q(modulus));
  Error32 e;
  for (const u64 x : limb) {
    const auto v = static_cast<std::int64_t>(x);
    const auto c = v > q / 2 ? v - q : v;
    EXPECT_LE(std::abs(c), 1 << 30);
    e.push_back(static_cast<std::int32_t>(c));
  }
  return e;
}

double correlation(const Error32& a, const Error32& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum / static_cast<double>(a.size()) / (kSigma * kSigma);
}

// Of errors that are drawn each for itself; chance passes 7 deviations once in 10^11.
void expect_independent(const std::vector<Error32>& errors) {
  const double n = static_cast<double>(errors[0].size());
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_NEAR(correlation(errors[i], errors[i]), 1, 7 * std::sqrt(2 / n)) << i;
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_LT(std::abs(correlation(errors[i], errors[j])), 7 / std::sqrt(n)) << i << " and " << j;
      Error32 difference(errors[i].size());
      for (std::size_t k = 0; k < difference.size(); ++k) difference[k] = errors[i][k] - errors[j][k];
      EXPECT_NEAR(correlation(difference, difference), 2, 14 * std::sqrt(2 / n)) << i << " and " << j;
    }
  }
}

class RandomnessOf : public testing::Test {
 protected:
  static constexpr std::size_t kN = 1024, kLimbs = 4;
  Parameters params{literal(RingType::real, kN, {40, 30, 33, 36}, {37, 38})};
  Recorder recorder{1};
  ring::Randomness random = recorder.randomness();
  SecretKey secret = SecretKey::generate(params, random);
  KeyList list{kLimbs, {{1, 2}, {5, 4}, {1023, 3}}};

  // x + y z, and x - y z, of one modulus.
  std::vector<u64> combined(const u64* x, const u64* y, const u64* z, std::size_t m, bool add) const {
    std::vector<u64> product(kN), out(x, x + kN);
    const auto& modulus = params.ring().modulus(m);
    kernels::table().multiply(product.data(), y, z, kN, modulus);
    (add ? kernels::table().add : kernels::table().subtract)(out.data(), out.data(), product.data(), kN,
                                                             modulus);
    return out;
  }

  // The error of a digit, the same at every modulus of the key.
  Error32 digit_error(const SwitchKey& key, std::size_t d) const {
    const std::size_t alpha = params.special_count();
    Error32 error;
    for (std::size_t row = 0; row < key.limbs + alpha; ++row) {
      const std::size_t m = switch_key_modulus(key, params, row);
      const auto& modulus = params.ring().modulus(m);
      std::vector<u64> source(secret.limb(m), secret.limb(m) + kN), target = source;
      if (key.steps == 0)
        kernels::table().multiply(source.data(), source.data(), secret.limb(m), kN, modulus);
      else
        kernels::table().permute(
            target.data(), secret.limb(m),
            ring::Rotation(params.ring_type(), kN, -std::int64_t{key.steps}).source().data(), kN);
      auto e = combined(key.b[d].data() + row * kN, key.a[d].data() + row * kN, target.data(), m, true);
      if (row < key.limbs && row / alpha == d) {
        u64 p = 1;
        for (const u64 q : params.literal().special)
          p = static_cast<u64>(static_cast<kernels::u128>(p) * (q % modulus.q) % modulus.q);
        const std::vector<u64> all(kN, p);
        e = combined(e.data(), source.data(), all.data(), m, false);
      }
      const auto here = centred(std::move(e), m, params);
      if (row == 0)
        error = here;
      else
        EXPECT_EQ(here, error) << "row " << row;
    }
    return error;
  }

  // Every stream that a seed of a file is expanded to, and some that it is not.
  static std::vector<std::uint64_t> public_nonces() {
    std::vector<std::uint64_t> nonces;
    for (std::uint64_t d = 0; d < 4; ++d)
      for (std::uint64_t m = 0; m < 8; ++m) nonces.push_back(d << 16 | m);
    for (std::uint64_t p = 0; p < 16; ++p) nonces.push_back(std::uint64_t{1} << 63 | p);
    return nonces;
  }
};

// Draws by purpose, all apart.
void expect_distinct(const std::vector<std::pair<Draw, Seed>>& draws) {
  std::set<Draw> purposes;
  std::set<Seed> seeds;
  for (const auto& [draw, seed] : draws) {
    EXPECT_TRUE(purposes.insert(draw).second)
        << "purpose " << static_cast<int>(draw.purpose) << ", index " << draw.index << " is drawn twice";
    EXPECT_TRUE(seeds.insert(seed).second);
  }
}

std::map<Purpose, std::size_t> counted(const std::vector<std::pair<Draw, Seed>>& draws) {
  std::map<Purpose, std::size_t> count;
  for (const auto& [draw, seed] : draws) ++count[draw.purpose];
  return count;
}

TEST_F(RandomnessOf, TheSecretKeyIsOneDraw) {
  const auto draws = recorder.taken();
  ASSERT_EQ(draws.size(), 1u);
  EXPECT_EQ(draws[0].first, Draw{Purpose::secret_key});
  std::vector<std::int8_t> ternary(kN);
  ring::RandomStream stream(draws[0].second, ring::secret_nonce(Purpose::secret_key));
  ring::sample_ternary(ternary, stream);
  EXPECT_EQ(SecretKey::from_coefficients(params, ternary).id(), secret.id());
}

TEST_F(RandomnessOf, EveryDigitOfEveryKeyHasAnErrorOfItsOwn) {
  recorder.taken();
  const auto keys = generate_keys(params, secret, list, random);
  const auto draws = recorder.taken();
  expect_distinct(draws);
  std::size_t digits = 0;
  std::vector<const SwitchKey*> all{&keys.relinearise};
  for (const auto& key : keys.rotations) all.push_back(&key);
  for (const auto* key : all) digits += key->digits;
  EXPECT_EQ(counted(draws), (std::map<Purpose, std::size_t>{{Purpose::switch_key_uniform, all.size()},
                                                            {Purpose::switch_key_error, digits}}));

  // Each drawn error is in one digit, and no digit's error is the expansion of a seed that is published.
  std::set<Error32> drawn;
  std::set<Seed> published;
  for (const auto& d : draws)
    if (ring::travels(d.first.purpose))
      published.insert(d.second);
    else
      drawn.insert(expected_error(d, kN));
  std::set<Seed> in_keys;
  std::vector<Error32> errors;
  for (const auto* key : all) {
    in_keys.insert(key->seed);
    for (std::size_t d = 0; d < key->digits; ++d) errors.push_back(digit_error(*key, d));
  }
  EXPECT_EQ(in_keys, published);
  EXPECT_EQ(std::set<Error32>(errors.begin(), errors.end()), drawn);
  for (const auto& seed : published)
    for (const auto nonce : public_nonces()) EXPECT_FALSE(drawn.contains(expected_error(seed, nonce, kN)));
}

// The same with the system's own randomness, of which nothing is known.
TEST_F(RandomnessOf, DifferencesOfDigitsHaveIndependentErrors) {
  const auto keys = generate_keys(params, secret, list, kRandomness);
  std::vector<Error32> errors;
  for (std::size_t d = 0; d < keys.relinearise.digits; ++d)
    errors.push_back(digit_error(keys.relinearise, d));
  for (const auto& key : keys.rotations)
    for (std::size_t d = 0; d < key.digits; ++d) errors.push_back(digit_error(key, d));
  ASSERT_GE(errors.size(), 7u);
  expect_independent(errors);
}

TEST_F(RandomnessOf, EveryCiphertextHasASeedAndAnErrorOfItsOwn) {
  recorder.taken();
  constexpr std::size_t kCiphertexts = 6;
  const Encryptor encryptor(params, secret, random);
  const Encoder encoder(params.ring_type(), kN);
  const auto x = random_slots(params.slots(), 3);
  std::vector<std::int64_t> message(kN);
  encoder.encode(message, x, 0x1p28);
  std::vector<Error32> errors;
  std::set<Seed> seeds, drawn;
  for (std::size_t i = 0; i < kCiphertexts; ++i) {
    const auto sealed = encryptor.encrypt(x, 0x1p28, kLimbs);
    const auto draws = recorder.taken();
    expect_distinct(draws);
    EXPECT_EQ(counted(draws), (std::map<Purpose, std::size_t>{{Purpose::ciphertext_uniform, 1},
                                                              {Purpose::ciphertext_error, 1}}));
    const auto c = expanded(sealed, params);
    Error32 error;
    for (std::size_t l = 0; l < kLimbs; ++l) {
      auto both = combined(c.view().limb(0, l), c.view().limb(1, l), secret.limb(l), l, true);
      std::vector<u64> encoded(kN);
      const auto& m = params.ring().modulus(l);
      kernels::table().from_int64(encoded.data(), message.data(), kN, m);
      kernels::table().ntt_forward(encoded.data(), params.ring().ntt(l));
      kernels::table().subtract(both.data(), both.data(), encoded.data(), kN, m);
      const auto here = centred(std::move(both), l, params);
      if (l == 0) error = here;
      EXPECT_EQ(here, error);
    }
    for (const auto& d : draws) {
      EXPECT_TRUE(drawn.insert(d.second).second) << "a seed is drawn twice";
      if (ring::travels(d.first.purpose))
        EXPECT_EQ(d.second, sealed.seed);
      else
        EXPECT_EQ(error, expected_error(d, kN));
    }
    for (const auto nonce : public_nonces()) EXPECT_NE(error, expected_error(sealed.seed, nonce, kN));
    seeds.insert(sealed.seed);
    errors.push_back(error);
  }
  EXPECT_EQ(seeds.size(), kCiphertexts);
  expect_independent(errors);
}

TEST_F(RandomnessOf, PublicKeysAndWhatTheyEncrypt) {
  recorder.taken();
  const auto key = generate_public_key(params, secret, random);
  auto draws = recorder.taken();
  expect_distinct(draws);
  ASSERT_EQ(counted(draws), (std::map<Purpose, std::size_t>{{Purpose::public_key_uniform, 1},
                                                            {Purpose::public_key_error, 1}}));
  const auto key_error = centred(combined(key.b.data(), key.a.data(), secret.limb(0), 0, true), 0, params);
  for (const auto& d : draws)
    if (ring::travels(d.first.purpose))
      EXPECT_EQ(d.second, key.seed);
    else
      EXPECT_EQ(key_error, expected_error(d, kN));
  for (const auto nonce : public_nonces()) EXPECT_NE(key_error, expected_error(key.seed, nonce, kN));

  const Encoder encoder(params.ring_type(), kN);
  const auto x = random_slots(params.slots(), 4);
  std::vector<std::int64_t> message(kN);
  encoder.encode(message, x, 0x1p28);
  std::vector<Error32> errors{key_error};
  for (int i = 0; i < 3; ++i) {
    const auto c = encrypt_public(params, key, encoder, x, 0x1p28, kLimbs, random);
    draws = recorder.taken();
    expect_distinct(draws);
    ASSERT_EQ(counted(draws), (std::map<Purpose, std::size_t>{{Purpose::mask, 1}, {Purpose::mask_error, 2}}));
    std::map<Draw, Seed> by_draw(draws.begin(), draws.end());
    std::vector<std::int8_t> ternary(kN);
    ring::RandomStream stream(by_draw.at({Purpose::mask}), ring::secret_nonce(Purpose::mask));
    ring::sample_ternary(ternary, stream);
    const Error32 wide(ternary.begin(), ternary.end());
    const auto& m = params.ring().modulus(0);
    std::vector<u64> u(kN), encoded(kN);
    kernels::table().from_int32(u.data(), wide.data(), kN, m);
    kernels::table().ntt_forward(u.data(), params.ring().ntt(0));
    kernels::table().from_int64(encoded.data(), message.data(), kN, m);
    kernels::table().ntt_forward(encoded.data(), params.ring().ntt(0));
    auto first = combined(c.view().limb(0, 0), key.b.data(), u.data(), 0, false);
    kernels::table().subtract(first.data(), first.data(), encoded.data(), kN, m);
    const auto e0 = centred(std::move(first), 0, params);
    const auto e1 = centred(combined(c.view().limb(1, 0), key.a.data(), u.data(), 0, false), 0, params);
    const auto drawn = [&](std::uint64_t index) {
      return expected_error({{Purpose::mask_error, index}, by_draw.at({Purpose::mask_error, index})}, kN);
    };
    EXPECT_EQ(e0, drawn(0));
    EXPECT_EQ(e1, drawn(1));
    errors.push_back(e0);
    errors.push_back(e1);
  }
  expect_independent(errors);
}

}  // namespace
}  // namespace velum::ckks::test
