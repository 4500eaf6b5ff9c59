// Vectors of an independent implementation (Lattigo): products, encoding, ciphertexts and their squares.
#include "support.h"

namespace velum::ckks::test {
namespace {

class Vectors : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    v = read_vectors(GetParam());
    ParametersLiteral p;
    p.ring = ring_type(v);
    p.n = v.at("ring_dimension");
    p.moduli = v.at("moduli").get<std::vector<u64>>();
    p.security = Security::none;
    params.emplace(p);
    slots = v.at("slots")[0].get<std::vector<double>>();
  }
  Ciphertext ciphertext(const char* name, double scale) const {
    const auto polys = v.at(name).get<std::vector<Limbs>>();
    Ciphertext c(*params, polys.size(), params->limbs(), scale);
    for (std::size_t p = 0; p < polys.size(); ++p) load(c.view(), p, polys[p], *params);
    return c;
  }
  SecretKey secret() const {
    return SecretKey::from_coefficients(*params, v.at("secret_coefficients").get<std::vector<std::int8_t>>());
  }

  nlohmann::json v;
  std::optional<Parameters> params;
  std::vector<double> slots;
};

TEST_P(Vectors, RingProduct) {
  auto a = v.at("product_a").get<std::vector<u64>>(), b = v.at("product_b").get<std::vector<u64>>();
  const auto& k = kernels::table();
  const auto& t = params->ring().ntt(0);
  k.ntt_forward(a.data(), t);
  k.ntt_forward(b.data(), t);
  k.multiply(a.data(), a.data(), b.data(), a.size(), t.modulus);
  k.ntt_inverse(a.data(), t);
  EXPECT_EQ(a, v.at("product_ab").get<std::vector<u64>>());
}

// Roundings may differ where the exact coefficient lies between two integers.
TEST_P(Vectors, Encoding) {
  const Encoder encoder(params->ring_type(), params->n());
  std::vector<std::int64_t> m(params->n());
  encoder.encode(m, slots, v.at("scale").get<double>());
  const auto expected = v.at("plaintext_coefficients")[0].get<Limbs>();
  std::size_t different = 0;
  for (std::size_t i = 0; i < m.size(); ++i) {
    const auto q = static_cast<std::int64_t>(params->ring().q(0));
    auto e = static_cast<std::int64_t>(expected[0][i]);
    if (e > q / 2) e -= q;
    EXPECT_LE(std::abs(m[i] - e), 1) << i;
    different += m[i] != e;
  }
  EXPECT_LE(different, m.size() / 50 + 1);
}

TEST_P(Vectors, SlotOrder) {
  const auto exponents = v.at("slot_root_exponents").get<std::vector<u64>>();
  u64 e = 1;
  for (const u64 x : exponents) {
    EXPECT_EQ(x, e);
    e = e * 5 % ring::root_order(params->ring_type(), params->n());
  }
}

TEST_P(Vectors, DecryptsFreshCiphertext) {
  const auto key = secret();
  const auto c = ciphertext("ciphertext_coefficients", v.at("scale").get<double>());
  EXPECT_LT(largest_difference(decrypted(Decryptor(*params, key), c, *params), slots), 1e-5);
}

TEST_P(Vectors, DecryptsThreePolynomialSquare) {
  const auto key = secret();
  const auto c = ciphertext("square_coefficients", v.at("square_scale").get<double>());
  std::vector<double> squares;
  for (const double x : slots) squares.push_back(x * x);
  const auto got = decrypted(Decryptor(*params, key), c, *params);
  EXPECT_LT(largest_difference(got, squares), 1e-5);
}

TEST_P(Vectors, SquaresToTheSamePolynomials) {
  const auto in = ciphertext("ciphertext_coefficients", 1), expected = ciphertext("square_coefficients", 1);
  const Evaluator evaluator(*params);
  Ciphertext out(*params, 3, params->limbs(), 1), product(*params, 3, params->limbs(), 1);
  evaluator.square(out.view(), in.view());
  evaluator.multiply(product.view(), in.view(), in.view());
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_EQ(store(out.view(), p, *params), store(expected.view(), p, *params)) << p;
    EXPECT_EQ(store(product.view(), p, *params), store(expected.view(), p, *params)) << p;
  }
}

INSTANTIATE_TEST_SUITE_P(Lattigo, Vectors,
                         testing::Values("real-n32.json", "real-n256.json", "standard-n32.json",
                                         "standard-n256.json"),
                         [](const auto& i) {
                           std::string name = i.param;
                           std::ranges::replace(name, '-', '_');
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace velum::ckks::test
