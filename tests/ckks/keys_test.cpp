#include <set>

#include "base/container.h"
#include "ckks/client/key_security.h"
#include "support.h"

namespace velum::ckks::test {
namespace {

using testing::HasSubstr;

std::vector<std::uint8_t> flip(std::vector<std::uint8_t> bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1u << (bit % 8)));
  return bytes;
}

class Keys : public testing::Test {
 protected:
  Parameters params{literal(RingType::real, 64, {36, 30, 33}, {34, 37})};
  Parameters others{literal(RingType::real, 64, {36, 30}, {34, 37})};
  SecretKey secret = SecretKey::from_seed(params, Seed{2});
};

TEST_F(Keys, SecretsDiffer) {
  EXPECT_NE(SecretKey::generate(params, kRandomness).id(), SecretKey::generate(params, kRandomness).id());
  EXPECT_EQ(SecretKey::from_seed(params, Seed{2}).id(), secret.id());
  EXPECT_NE(SecretKey::from_seed(others, Seed{2}).id(), secret.id());
}

TEST_F(Keys, SecretFile) {
  const auto file = secret.to_file();
  const auto back = SecretKey::from_file(file.span(), params, "secret.key");
  EXPECT_EQ(back.id(), secret.id());
  for (std::size_t i = 0; i < params.ring().count(); ++i)
    EXPECT_TRUE(std::equal(back.limb(i), back.limb(i) + params.n(), secret.limb(i)));
  EXPECT_THAT(user_error([&] { SecretKey::from_file(file.span(), others, "secret.key"); }),
              HasSubstr("other parameters"));
}

TEST_F(Keys, DamagedSecretFile) {
  const auto file = secret.to_file();
  const std::vector<std::uint8_t> bytes(file.data(), file.data() + file.size());
  for (std::size_t length = 0; length < bytes.size(); length += 7)
    EXPECT_THAT(
        user_error([&] { SecretKey::from_file(std::span(bytes).first(length), params, "secret.key"); }),
        HasSubstr("secret.key: truncated"));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += 11)
    EXPECT_THAT(user_error([&] { SecretKey::from_file(flip(bytes, bit), params, "secret.key"); }),
                HasSubstr("secret.key: "));
}

// Under a correct checksum, too: the payload's own checks.
TEST_F(Keys, DamagedSecretPayload) {
  const auto written = secret.write();
  const std::vector<std::uint8_t> bytes(written.data(), written.data() + written.size());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto flipped = flip(bytes, bit);
    ByteReader in(flipped, "secret.key");
    user_error([&] { SecretKey::read(in, params); });
  }
  auto longer = bytes;
  longer.push_back(0);
  ByteReader in(longer, "secret.key");
  EXPECT_THAT(user_error([&] { SecretKey::read(in, params); }), HasSubstr("oversized"));
}

TEST_F(Keys, RefusesCoefficientsThatAreNotTernary) {
  std::vector<std::int8_t> s(params.n());
  EXPECT_NO_THROW(SecretKey::from_coefficients(params, s));
  s[3] = 2;
  EXPECT_THAT(user_error([&] { SecretKey::from_coefficients(params, s); }), HasSubstr("-1, 0 or 1"));
  s.resize(5);
  EXPECT_THAT(user_error([&] { SecretKey::from_coefficients(params, s); }), HasSubstr("64 coefficients"));
}

void expect_equal(const SwitchKey& x, const SwitchKey& y) {
  EXPECT_EQ(x.steps, y.steps);
  EXPECT_EQ(x.limbs, y.limbs);
  EXPECT_EQ(x.digits, y.digits);
  ASSERT_EQ(x.b.size(), y.b.size());
  ASSERT_EQ(x.a.size(), y.a.size());
  for (std::size_t d = 0; d < x.b.size(); ++d) {
    EXPECT_TRUE(std::ranges::equal(x.b[d], y.b[d]));
    EXPECT_TRUE(std::ranges::equal(x.a[d], y.a[d]));
  }
}

TEST_F(Keys, EvaluationKeysFile) {
  const std::vector<RotationKeyEntry> none, some = {{1, 3}, {5, 1}, {63, 2}};
  for (const auto& [limbs, rotations] :
       {std::pair{0u, none}, {1u, none}, {2u, none}, {3u, none}, {0u, some}, {3u, some}}) {
    const auto keys = generate_keys(params, secret, {limbs, rotations}, kRandomness);
    const auto bytes = keys.write(params);
    ByteReader in(bytes, "eval.keys");
    const auto back = EvaluationKeys::read(in, params);
    EXPECT_EQ(back.key_id, secret.id());
    EXPECT_EQ(back.list, keys.list);
    expect_equal(back.relinearise, keys.relinearise);
    ASSERT_EQ(back.rotations.size(), rotations.size());
    for (std::size_t i = 0; i < rotations.size(); ++i) {
      EXPECT_EQ(back.rotations[i].limbs, rotations[i].limbs);
      expect_equal(back.rotations[i], keys.rotations[i]);
    }
    // b at bit width, a as its seed: less than half of the memory.
    std::size_t packed = 16 + 16 + 4 + 8 + 8 * rotations.size();
    const auto add_key = [&](std::size_t height) {
      if (height == 0) return;
      const std::size_t digits = digit_count(height, params.special_count());
      packed += 32;
      for (std::size_t i = 0; i < height; ++i) packed += digits * packed_limb_bytes(params, i);
      for (std::size_t i = 3; i < 5; ++i) packed += digits * packed_limb_bytes(params, i);
    };
    add_key(limbs);
    for (const auto& r : rotations) add_key(r.limbs);
    EXPECT_EQ(bytes.size(), packed);
  }
}

TEST_F(Keys, KeysOfTheirOwnRandomness) {
  const auto a = generate_keys(params, secret, {3}, kRandomness),
             b = generate_keys(params, secret, {3}, kRandomness);
  EXPECT_NE(a.relinearise.seed, b.relinearise.seed);
  EXPECT_FALSE(std::ranges::equal(a.relinearise.b[0], b.relinearise.b[0]));
  EXPECT_FALSE(std::ranges::equal(a.relinearise.a[0], a.relinearise.a[1]));
}

// The difference of two keys with one `a` is P (s1' - s2') + e1 - e2: the secret, but for errors.
TEST_F(Keys, NoTwoSwitchingKeysShareASeed) {
  KeyList list{3, {}};
  for (std::uint32_t steps = 1; steps < params.slots(); ++steps) list.rotations.push_back({steps, 3});
  const auto keys = generate_keys(params, secret, list, kRandomness);
  std::set<Seed> seeds{keys.relinearise.seed};
  std::set<std::vector<u64>> uniform;
  const auto collect = [&](const SwitchKey& key) {
    for (const auto& a : key.a)
      for (std::size_t row = 0; row < key.limbs + params.special_count(); ++row)
        uniform.emplace(a.data() + row * params.n(), a.data() + (row + 1) * params.n());
  };
  collect(keys.relinearise);
  for (const auto& key : keys.rotations) {
    seeds.insert(key.seed);
    collect(key);
  }
  EXPECT_EQ(seeds.size(), params.slots());
  EXPECT_EQ(uniform.size(), params.slots() * 2 * 5);  // two digits of five rows

  auto shared = generate_keys(params, secret, {3, {{1, 2}}}, kRandomness);
  shared.rotations[0].seed = shared.relinearise.seed;
  const auto bytes = shared.write(params);
  ByteReader in(bytes, "eval.keys");
  EXPECT_THAT(user_error([&] { EvaluationKeys::read(in, params); }), HasSubstr("same seed"));
}

TEST_F(Keys, AreFoundByTheirSteps) {
  const auto keys = generate_keys(params, secret, {0, {{1, 3}, {5, 1}, {63, 2}}}, kRandomness);
  EXPECT_EQ(rotation_key(keys, 5, params), &keys.rotations[1]);
  EXPECT_EQ(rotation_key(keys, -1, params), &keys.rotations[2]);
  EXPECT_EQ(rotation_key(keys, 65, params), &keys.rotations[0]);
  EXPECT_EQ(rotation_key(keys, 2, params), nullptr);
  EXPECT_EQ(rotation_key(keys, 0, params), nullptr);
}

TEST_F(Keys, RefusesImpossibleLists) {
  const auto refused = [&](std::vector<RotationKeyEntry> r) {
    return user_error([&] { generate_keys(params, secret, {3, std::move(r)}, kRandomness); });
  };
  EXPECT_THAT(refused({{0, 1}}), HasSubstr("rotations by 0 of 64 slots"));
  EXPECT_THAT(refused({{64, 1}}), HasSubstr("rotations by 64 of 64 slots"));
  EXPECT_THAT(refused({{1, 0}}), HasSubstr("a key of 0 limbs"));
  EXPECT_THAT(refused({{1, 4}}), HasSubstr("a key of 4 limbs"));
  EXPECT_THAT(refused({{2, 1}, {1, 1}}), HasSubstr("rotations by 1 after one for 2"));
  EXPECT_THAT(refused({{2, 1}, {2, 3}}), HasSubstr("each once"));
  EXPECT_THAT(user_error([&] { generate_keys(params, secret, {4}, kRandomness); }), HasSubstr("4 limbs"));
  const Parameters plain(literal(RingType::real, 64, {36, 30}, {}));
  const auto key = SecretKey::generate(plain, kRandomness);
  EXPECT_NO_THROW(generate_keys(plain, key, {0}, kRandomness));
  EXPECT_THAT(user_error([&] { generate_keys(plain, key, {1}, kRandomness); }), HasSubstr("special primes"));
  EXPECT_THAT(user_error([&] {
                generate_keys(plain, key, {0, {{1, 1}}}, kRandomness);
              }),
              HasSubstr("a rotation key"));
}

// By a table stricter than the parameters' own, which no key of theirs can break.
TEST(KeySecurity, EveryKeyIsHeldToTheTable) {
  const Parameters secure(literal(RingType::real, 4096, {30, 31}, {32}, Security::bits128));
  const SecurityTable strict = [](std::size_t n, Security s) {
    return n == 4096 && s == Security::bits128 ? 80 : 0;
  };
  EXPECT_NO_THROW(check_key_security(secure, 2));
  EXPECT_NO_THROW(check_key_security(secure, 1, strict));  // 62 bits: its own moduli and the special one
  const auto why = user_error([&] { check_key_security(secure, 2, strict); });
  EXPECT_THAT(why, HasSubstr("93.00 bits"));
  EXPECT_THAT(why, HasSubstr("at most 80"));
  // A dimension without a row carries no key at all; tests without security any.
  EXPECT_THAT(user_error([&] { check_key_security(secure, 1, [](std::size_t, Security) { return 0; }); }),
              HasSubstr("at most 0"));
  const Parameters insecure(literal(RingType::real, 64, {30, 31}, {32}));
  EXPECT_NO_THROW(check_key_security(insecure, 2, strict));
}

TEST_F(Keys, DamagedEvaluationKeys) {
  const auto bytes = generate_keys(params, secret, {3, {{1, 2}, {63, 3}}}, kRandomness).write(params);
  const auto read = [&](std::span<const std::uint8_t> b, const Parameters& p) {
    ByteReader in(b, "eval.keys");
    return EvaluationKeys::read(in, p);
  };
  EXPECT_THAT(user_error([&] { read(bytes, others); }), HasSubstr("other parameters"));
  for (std::size_t length = 0; length < bytes.size(); length += 13)
    EXPECT_THAT(user_error([&] { read(std::span(bytes).first(length), params); }),
                HasSubstr("eval.keys: truncated"));
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_THAT(user_error([&] { read(longer, params); }), HasSubstr("oversized"));
  auto tall = bytes;
  tall[32] = 200;
  EXPECT_THAT(user_error([&] { read(tall, params); }), HasSubstr("200 limbs"));
  auto high = bytes;  // residues above their moduli
  std::fill(high.begin() + 92, high.end(), std::uint8_t{0xff});
  EXPECT_THAT(user_error([&] { read(high, params); }), HasSubstr("its modulus is"));
  auto zero = bytes;
  zero[44] = 0;  // the first rotation's steps
  EXPECT_THAT(user_error([&] { read(zero, params); }), HasSubstr("rotations by 0"));
  auto many = bytes;
  many[43] = 0x7f;  // the number of rotations
  EXPECT_THAT(user_error([&] { read(many, params); }), HasSubstr("eval.keys: "));
  // In the container every flip is found.
  const auto file = wrap(FileType::evaluation_keys, kEvaluationKeysVersion, bytes);
  for (std::size_t bit = 0; bit < 8 * file.size(); bit += 97) {
    const auto flipped = flip(file, bit);
    user_error([&] { unwrap(flipped, FileType::evaluation_keys, kEvaluationKeysVersion, "eval.keys"); });
  }
  const auto old = wrap(FileType::evaluation_keys, 1, bytes);
  EXPECT_THAT(
      user_error([&] { unwrap(old, FileType::evaluation_keys, kEvaluationKeysVersion, "eval.keys"); }),
      HasSubstr("eval.keys: made by an older Velum; plan again"));
}

TEST_F(Keys, PublicKeyFile) {
  const auto key = generate_public_key(params, secret, kRandomness);
  const auto bytes = key.write(params);
  ByteReader in(bytes, "public.key");
  const auto back = PublicKey::read(in, params);
  EXPECT_EQ(back.key_id, secret.id());
  EXPECT_TRUE(std::ranges::equal(back.a, key.a));
  EXPECT_TRUE(std::ranges::equal(back.b, key.b));
  for (std::size_t length = 0; length < bytes.size(); length += 13) {
    const auto part = std::span<const std::uint8_t>(bytes).first(length);
    ByteReader cut(part, "public.key");
    EXPECT_THAT(user_error([&] { PublicKey::read(cut, params); }), HasSubstr("public.key: truncated"));
  }
  ByteReader again(bytes, "public.key");
  EXPECT_THAT(user_error([&] { PublicKey::read(again, others); }), HasSubstr("other parameters"));
}

}  // namespace
}  // namespace velum::ckks::test
