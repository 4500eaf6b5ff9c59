#include <sys/stat.h>

#include <filesystem>

#include "base/container.h"
#include "base/file.h"
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
  std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) /
      (std::string("velum_keys_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
};

TEST_F(Keys, SecretsDiffer) {
  EXPECT_NE(SecretKey::generate(params).id(), SecretKey::generate(params).id());
  EXPECT_EQ(SecretKey::from_seed(params, Seed{2}).id(), secret.id());
  EXPECT_NE(SecretKey::from_seed(others, Seed{2}).id(), secret.id());
}

TEST_F(Keys, SecretFile) {
  const auto path = (folder / "secret.key").string();
  secret.save(path);
  struct stat s {};
  ASSERT_EQ(stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  const auto back = SecretKey::load(path, params);
  EXPECT_EQ(back.id(), secret.id());
  for (std::size_t i = 0; i < params.ring().count(); ++i)
    EXPECT_TRUE(std::equal(back.limb(i), back.limb(i) + params.n(), secret.limb(i)));
  EXPECT_THAT(user_error([&] { SecretKey::load(path, others); }), HasSubstr("other parameters"));
}

TEST_F(Keys, DamagedSecretFile) {
  const auto path = (folder / "secret.key").string();
  secret.save(path);
  const auto bytes = read_file(path);
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    write_file_atomically(path, std::span(bytes).first(length));
    EXPECT_THAT(user_error([&] { SecretKey::load(path, params); }), HasSubstr("secret.key: truncated"));
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += 11) {
    write_file_atomically(path, std::span<const std::uint8_t>(flip(bytes, bit)));
    EXPECT_THAT(user_error([&] { SecretKey::load(path, params); }), HasSubstr("secret.key: "));
  }
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
  for (const std::size_t limbs : {0u, 1u, 2u, 3u}) {
    const auto keys = generate_keys(params, secret, {limbs});
    const auto bytes = keys.write(params);
    ByteReader in(bytes, "eval.keys");
    const auto back = EvaluationKeys::read(in, params);
    EXPECT_EQ(back.key_id, secret.id());
    EXPECT_EQ(back.list, keys.list);
    expect_equal(back.relinearise, keys.relinearise);
    // b at bit width, a as its seed: less than half of the memory.
    std::size_t packed = 16 + 16 + 4;
    if (limbs > 0) {
      packed += 32;
      for (std::size_t i = 0; i < limbs; ++i)
        packed += keys.relinearise.digits * packed_limb_bytes(params, i);
      for (std::size_t i = 3; i < 5; ++i) packed += keys.relinearise.digits * packed_limb_bytes(params, i);
    }
    EXPECT_EQ(bytes.size(), packed);
  }
}

TEST_F(Keys, KeysOfTheirOwnRandomness) {
  const auto a = generate_keys(params, secret, {3}), b = generate_keys(params, secret, {3});
  EXPECT_NE(a.relinearise.seed, b.relinearise.seed);
  EXPECT_FALSE(std::ranges::equal(a.relinearise.b[0], b.relinearise.b[0]));
  EXPECT_FALSE(std::ranges::equal(a.relinearise.a[0], a.relinearise.a[1]));
}

TEST_F(Keys, RefusesImpossibleLists) {
  EXPECT_THAT(user_error([&] { generate_keys(params, secret, {4}); }), HasSubstr("4 limbs"));
  const Parameters plain(literal(RingType::real, 64, {36, 30}, {}));
  const auto key = SecretKey::generate(plain);
  EXPECT_NO_THROW(generate_keys(plain, key, {0}));
  EXPECT_THAT(user_error([&] { generate_keys(plain, key, {1}); }), HasSubstr("special primes"));
}

TEST_F(Keys, DamagedEvaluationKeys) {
  const auto bytes = generate_keys(params, secret, {3}).write(params);
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
  std::fill(high.begin() + 68, high.end(), std::uint8_t{0xff});
  EXPECT_THAT(user_error([&] { read(high, params); }), HasSubstr("its modulus is"));
  // In the container every flip is found.
  const auto file = wrap(FileType::evaluation_keys, 1, bytes);
  for (std::size_t bit = 0; bit < 8 * file.size(); bit += 97) {
    const auto flipped = flip(file, bit);
    user_error([&] { unwrap(flipped, FileType::evaluation_keys, 1, "eval.keys"); });
  }
}

TEST_F(Keys, PublicKeyFile) {
  const auto key = generate_public_key(params, secret);
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
