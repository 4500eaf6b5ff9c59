#include <cmath>
#include <set>

#include "support.h"

namespace velum::ckks::test {
namespace {

using testing::HasSubstr;

class Encryption : public testing::TestWithParam<RingType> {
 protected:
  Encryption()
      : params(literal(GetParam(), 256, {36, 36, 40, 33, 47}, {47.5})),
        secret(SecretKey::from_seed(params, Seed{2})),
        encryptor(params, secret, kRandomness),
        decryptor(params, secret) {}
  Parameters params;
  SecretKey secret;
  Encryptor encryptor;
  Decryptor decryptor;
};

TEST_P(Encryption, RoundTripAtEveryHeight) {
  const auto x = random_slots(params.slots(), 1);
  for (std::size_t limbs = 1; limbs <= params.limbs(); ++limbs) {
    const auto c = encryptor.encrypt(x, 0x1p30, limbs);
    EXPECT_EQ(c.limbs, limbs);
    EXPECT_LT(largest_difference(decrypted(decryptor, expanded(c, params), params), x), 1e-6) << limbs;
  }
}

TEST_P(Encryption, SmallBatch) {
  const auto x = random_slots(3, 1);
  const auto got = decrypted(decryptor, expanded(encryptor.encrypt(x, 0x1p30, 2), params), params);
  EXPECT_LT(largest_difference(got, x), 1e-6);
  for (std::size_t j = 3; j < got.size(); ++j) EXPECT_LT(std::abs(got[j]), 1e-6);
  std::vector<double> first(2);
  const auto c = expanded(encryptor.encrypt(x, 0x1p30, 2), params);
  decryptor.decrypt(first, c.view(), c.scale());
  EXPECT_LT(largest_difference(first, x), 1e-6);
}

// The expansion may be cut: a lower ciphertext of the same message.
TEST_P(Encryption, ExpandsToFewerLimbs) {
  const auto x = random_slots(params.slots(), 1);
  const auto c = encryptor.encrypt(x, 0x1p30, 4);
  Ciphertext low(params, 2, 2, c.scale);
  expand(low.view(), c, params);
  EXPECT_LT(largest_difference(decrypted(decryptor, low, params), x), 1e-6);
  Ciphertext high(params, 2, 5, c.scale);
  EXPECT_THAT(user_error([&] { expand(high.view(), c, params); }), HasSubstr("4 limbs"));
}

// Large values over many limbs: exact to the precision of a double.
TEST_P(Encryption, ReconstructsLargeValues) {
  const auto x = random_slots(params.slots(), 1);
  for (const int shift : {0, 40, 60, 90, 120}) {
    auto c = expanded(encryptor.encrypt(x, 0x1p50, 5), params);
    const Evaluator evaluator(params);
    double scale = c.scale();
    for (int left = shift; left > 0; left -= 30) {
      const int step = std::min(left, 30);
      evaluator.multiply_scalar(c.view(), c.view(), std::int64_t{1} << step);
      scale *= std::exp2(step);
    }
    c.set_scale(scale);
    EXPECT_LT(largest_difference(decrypted(decryptor, c, params), x), 1e-11) << shift;
  }
}

TEST_P(Encryption, PublicKey) {
  const auto key = generate_public_key(params, secret, kRandomness);
  const Encoder encoder(params.ring_type(), params.n());
  const auto x = random_slots(params.slots(), 1);
  for (std::size_t limbs = 1; limbs <= params.limbs(); ++limbs) {
    const auto c = encrypt_public(params, key, encoder, x, 0x1p30, limbs, kRandomness);
    EXPECT_LT(largest_difference(decrypted(decryptor, c, params), x), 1e-4) << limbs;
  }
  const auto a = encrypt_public(params, key, encoder, x, 0x1p30, 1, kRandomness);
  const auto b = encrypt_public(params, key, encoder, x, 0x1p30, 1, kRandomness);
  EXPECT_NE(store(a.view(), 1, params), store(b.view(), 1, params));
}

TEST_P(Encryption, NeverTheSameSeed) {
  std::set<Seed> seeds;
  std::set<std::vector<u64>> bodies;
  for (int i = 0; i < 500; ++i) {
    const auto c = encryptor.encrypt({}, 0x1p30, 1);
    seeds.insert(c.seed);
    bodies.insert({c.c0.begin(), c.c0.end()});
  }
  EXPECT_EQ(seeds.size(), 500u);
  EXPECT_EQ(bodies.size(), 500u);
}

TEST_P(Encryption, SameBitsOnEveryKernelVariant) {
  const auto c = encryptor.encrypt(random_slots(params.slots(), 1), 0x1p30, 3);
  const kernels::Table& original = kernels::table();
  std::vector<std::vector<double>> opened;
  for (const kernels::Table* t : kernels::available_tables()) {
    kernels::use_table(*t);
    opened.push_back(decrypted(decryptor, expanded(c, params), params));
    EXPECT_EQ(opened.back(), opened.front()) << t->name;
  }
  kernels::use_table(original);
}

TEST_P(Encryption, WrongKeyGivesNoise) {
  const auto other = SecretKey::from_seed(params, Seed{3});
  const auto x = random_slots(params.slots(), 1);
  const auto c = expanded(encryptor.encrypt(x, 0x1p30, 2), params);
  EXPECT_GT(largest_difference(decrypted(Decryptor(params, other), c, params), x), 1000);
}

TEST_P(Encryption, RefusesWrongUse) {
  const Parameters others(literal(GetParam(), 256, {36, 36}, {47.5}));
  EXPECT_THAT(user_error([&] { Encryptor(others, secret, kRandomness); }), HasSubstr("other parameters"));
  EXPECT_THAT(user_error([&] { Decryptor(others, secret); }), HasSubstr("other parameters"));
  EXPECT_THAT(user_error([&] { generate_keys(others, secret, {2}, kRandomness); }),
              HasSubstr("other parameters"));
  EXPECT_THAT(user_error([&] { generate_public_key(others, secret, kRandomness); }),
              HasSubstr("other parameters"));
  const auto key = generate_public_key(params, secret, kRandomness);
  const Encoder encoder(params.ring_type(), params.n());
  EXPECT_THAT(user_error([&] { encrypt_public(others, key, encoder, {}, 0x1p30, 1, kRandomness); }),
              HasSubstr("other parameters"));
  EXPECT_THAT(user_error([&] { encryptor.encrypt({}, 0x1p30, 0); }), HasSubstr("0 limbs"));
  EXPECT_THAT(user_error([&] { encryptor.encrypt({}, 0x1p30, 6); }), HasSubstr("6 limbs"));
  // 2^36 leaves no room for 1.0 at scale 2^35.
  EXPECT_THAT(user_error([&] { encryptor.encrypt(std::vector<double>{1}, 0x1p35, 1); }),
              HasSubstr("does not fit"));
  EXPECT_NO_THROW(encryptor.encrypt(std::vector<double>{1}, 0x1p35, 2));
  std::vector<double> slots(params.slots());
  EXPECT_THAT(user_error([&] {
                decryptor.decrypt(slots, ConstView{nullptr, 4, 1, 256, 256}, 1);
              }),
              HasSubstr("4 polynomials"));
  EXPECT_THAT(user_error([&] {
                decryptor.decrypt(slots, ConstView{nullptr, 2, 6, 256, 256}, 1);
              }),
              HasSubstr("6 limbs"));
  EXPECT_THAT(user_error([&] {
                decryptor.decrypt(slots, ConstView{nullptr, 2, 1, 128, 256}, 1);
              }),
              HasSubstr("dimension 128"));
  EXPECT_THAT(user_error([&] { Ciphertext(params, 4, 1, 1); }), HasSubstr("not 4"));
  EXPECT_THAT(user_error([&] { Ciphertext(params, 2, 6, 1); }), HasSubstr("6 limbs"));
}

// A larger ring, ten limbs: the highest reconstruction that networks of ten blocks need.
TEST(EncryptionLarge, TenLimbs) {
  const Parameters params(
      literal(RingType::real, 16384, {38, 38, 38, 38, 38, 38, 38, 38, 38, 38}, {39}, Security::bits128));
  const auto secret = SecretKey::generate(params, kRandomness);
  const auto x = random_slots(params.slots(), 1);
  const auto c = expanded(Encryptor(params, secret, kRandomness).encrypt(x, 0x1p40, 10), params);
  EXPECT_LT(largest_difference(decrypted(Decryptor(params, secret), c, params), x), 1e-8);
}

INSTANTIATE_TEST_SUITE_P(Rings, Encryption, testing::Values(RingType::real, RingType::standard),
                         [](const auto& i) { return std::string(ring::name(i.param)); });

}  // namespace
}  // namespace velum::ckks::test
