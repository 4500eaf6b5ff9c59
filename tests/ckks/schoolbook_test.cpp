// Bit for bit against tools/vectors/generate.py: schoolbook big-integer arithmetic and the formats as
// documented.
#include <bit>

#include "ring/base_conversion.h"
#include "ring/samplers.h"
#include "support.h"

namespace velum::ckks::test {
namespace {

std::vector<std::uint8_t> from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

class Schoolbook : public testing::TestWithParam<const char*> {
 protected:
  Schoolbook() : v(read_vectors(GetParam())), params(make()), n(params.n()) {}
  Parameters make() const {
    ParametersLiteral p;
    p.ring = ring_type(v);
    p.n = v.at("ring_dimension");
    p.moduli = v.at("moduli").get<std::vector<u64>>();
    p.special = v.at("special").get<std::vector<u64>>();
    p.security = Security::none;
    return Parameters(p);
  }
  Ciphertext load_polys(const std::vector<Limbs>& polys) const {
    Ciphertext c(params, polys.size(), polys[0].size(), 1);
    for (std::size_t p = 0; p < polys.size(); ++p) load(c.view(), p, polys[p], params);
    return c;
  }
  std::vector<Limbs> store_polys(const Ciphertext& c) const {
    std::vector<Limbs> polys;
    for (std::size_t p = 0; p < c.polys(); ++p) polys.push_back(store(c.view(), p, params));
    return polys;
  }
  std::vector<AlignedBuffer<u64>> load_key(const char* name) const {
    std::vector<AlignedBuffer<u64>> key;
    for (const auto& digit : v.at(name).get<std::vector<Limbs>>()) {
      auto& b = key.emplace_back(digit.size() * n);
      for (std::size_t i = 0; i < digit.size(); ++i) {
        std::ranges::copy(digit[i], b.data() + i * n);
        kernels::table().ntt_forward(b.data() + i * n, params.ring().ntt(i));
      }
    }
    return key;
  }

  nlohmann::json v;
  Parameters params;
  std::size_t n;
};

TEST_P(Schoolbook, TransformOrder) {
  auto p = v["transform"]["coefficients"].get<std::vector<u64>>();
  kernels::table().ntt_forward(p.data(), params.ring().ntt(0));
  EXPECT_EQ(p, v["transform"]["evaluations"].get<std::vector<u64>>());
}

TEST_P(Schoolbook, Packing) {
  const auto p = v["transform"]["coefficients"].get<std::vector<u64>>();
  std::vector<std::uint8_t> packed(packed_limb_bytes(params, 0));
  pack_limb(packed.data(), p.data(), params, 0);
  EXPECT_EQ(packed, from_hex(v["packed"]));
  std::vector<u64> back(n);
  unpack_limb(back.data(), packed, params, 0, "test");
  EXPECT_EQ(back, p);
}

TEST_P(Schoolbook, SeedExpansion) {
  const auto bytes = from_hex(v["expansion"]["seed"]);
  Seed seed;
  std::ranges::copy(bytes, seed.begin());
  for (const auto& s : v["expansion"]["streams"]) {
    std::vector<u64> x(n);
    ring::expand_uniform(x.data(), n, kernels::make_modulus(s["modulus"].get<u64>()), seed,
                         s["stream"].get<std::uint64_t>());
    EXPECT_EQ(x, s["residues"].get<std::vector<u64>>());
  }
}

TEST_P(Schoolbook, Identities) {
  EXPECT_EQ(params.id_text(), v["parameter_id"].get<std::string>());
  const auto key =
      SecretKey::from_coefficients(params, v["secret_coefficients"].get<std::vector<std::int8_t>>());
  const auto payload = key.write();
  EXPECT_EQ(std::vector<std::uint8_t>(payload.data(), payload.data() + payload.size()),
            from_hex(v["secret_key_payload"]));
}

TEST_P(Schoolbook, BaseConversion) {
  const auto& c = v["base_conversion"];
  const auto sources = c["sources"].get<std::vector<std::size_t>>();
  std::vector<std::size_t> targets(params.ring().count());
  for (std::size_t j = 0; j < targets.size(); ++j) targets[j] = j;
  const ring::BaseConversion conversion(params.ring(), sources, targets);
  const auto in = c["input"].get<Limbs>();
  Limbs out(targets.size(), std::vector<u64>(n));
  std::vector<const u64*> in_rows;
  std::vector<u64*> out_rows;
  for (const auto& row : in) in_rows.push_back(row.data());
  for (auto& row : out) out_rows.push_back(row.data());
  kernels::base_convert(kernels::table(), out_rows.data(), in_rows.data(), n, conversion.view());
  EXPECT_EQ(out, c["output"].get<Limbs>());
}

TEST_P(Schoolbook, Rescale) {
  const auto in = load_polys(v["rescale"]["input"].get<std::vector<Limbs>>());
  const Evaluator evaluator(params);
  Ciphertext out(params, 2, params.limbs() - 1, 1);
  AlignedBuffer<u64> scratch(evaluator.scratch_words(params.limbs()));
  evaluator.rescale(out.view(), in.view(), scratch.data());
  EXPECT_EQ(store_polys(out), v["rescale"]["output"].get<std::vector<Limbs>>());
}

TEST_P(Schoolbook, Relinearise) {
  const Evaluator evaluator(params);
  AlignedBuffer<u64> scratch(evaluator.scratch_words(params.limbs()));
  SwitchKey key;
  key.limbs = params.limbs();
  key.digits = digit_count(key.limbs, params.special_count());
  key.b = load_key("key_b");
  key.a = load_key("key_a");
  for (const auto& c : v["switching"]) {
    const std::size_t limbs = c["limbs"];
    const auto in = load_polys(c["input"].get<std::vector<Limbs>>());
    Ciphertext out(params, 2, limbs, 1), fused(params, 2, limbs - 1, 1);
    evaluator.relinearise(out.view(), in.view(), key, scratch.data());
    evaluator.relinearise_rescale(fused.view(), in.view(), key, scratch.data());
    EXPECT_EQ(store_polys(out), c["relinearised"].get<std::vector<Limbs>>()) << limbs;
    EXPECT_EQ(store_polys(fused), c["relinearised_rescaled"].get<std::vector<Limbs>>()) << limbs;
  }
}

// A whole key file by the generator: its keys rotate a ciphertext to the generator's bits, and these decrypt,
// under the generator's secret, to the shifted slots.
TEST_P(Schoolbook, Rotations) {
  const auto payload = from_hex(v["evaluation_keys"]["payload"]);
  ByteReader file(payload, "eval.keys");
  const auto keys = EvaluationKeys::read(file, params);
  EXPECT_EQ(keys.write(params), payload);
  const auto secret =
      SecretKey::from_coefficients(params, v["secret_coefficients"].get<std::vector<std::int8_t>>());
  EXPECT_EQ(keys.key_id, secret.id());
  const Evaluator evaluator(params);
  AlignedBuffer<u64> scratch(evaluator.scratch_words(params.limbs()));
  ASSERT_EQ(v["evaluation_keys"]["cases"].size(), keys.rotations.size());
  for (const auto& c : v["evaluation_keys"]["cases"]) {
    const std::uint32_t steps = c["steps"];
    const std::size_t limbs = c["limbs"];
    const auto in = load_polys(c["input"].get<std::vector<Limbs>>());
    const auto* key = rotation_key(keys, steps, params);
    ASSERT_NE(key, nullptr) << steps;
    EXPECT_EQ(key->limbs, limbs);
    const ring::Rotation by(params.ring_type(), n, steps);
    Ciphertext out(params, 2, limbs, 1);
    evaluator.rotate(out.view(), in.view(), *key, by, scratch.data());
    EXPECT_EQ(store_polys(out), c["rotated"].get<std::vector<Limbs>>()) << steps;
    if (limbs > 1) {
      Ciphertext fused(params, 2, limbs - 1, 1);
      evaluator.rotate(fused.view(), in.view(), *key, by, scratch.data());
      EXPECT_EQ(store_polys(fused), c["rotated_rescaled"].get<std::vector<Limbs>>()) << steps;
    }
    auto expected = c["slots"].get<std::vector<double>>();
    std::ranges::rotate(expected, expected.begin() + steps);
    // Errors of at most 21 and a division's rounding, against slots of some 2^27.
    EXPECT_LT(largest_difference(decrypted(Decryptor(params, secret), out, params), expected), 0x1p14)
        << steps;
  }
}

INSTANTIATE_TEST_SUITE_P(Python, Schoolbook,
                         testing::Values("velum-real-n16-alpha1.json", "velum-standard-n16-alpha1.json",
                                         "velum-real-n16-alpha2.json", "velum-standard-n16-alpha3.json"),
                         [](const auto& i) {
                           std::string name = i.param;
                           std::ranges::replace(name, '-', '_');
                           return name.substr(6, name.find('.') - 6);
                         });

}  // namespace
}  // namespace velum::ckks::test
