// Operations against the arithmetic of the slots, in both rings and with digits of 1, 2 and 3 moduli.
#include "ring/samplers.h"
#include "support.h"

namespace velum::ckks::test {
namespace {

struct Case {
  RingType ring;
  std::size_t n, limbs, alpha;
};

constexpr double kScale = 0x1p28;

ParametersLiteral literal_of(const Case& c) {
  std::vector<double> bits(c.limbs, 36), special(c.alpha, 40);
  bits[0] = 38;
  return literal(c.ring, c.n, bits, special);
}

class EvaluatorCases : public testing::TestWithParam<Case> {
 protected:
  EvaluatorCases()
      : params(literal_of(GetParam())),
        secret(SecretKey::from_seed(params, Seed{1})),
        keys(generate_keys(params, secret, {params.limbs()}, kRandomness)),
        encryptor(params, secret, kRandomness),
        decryptor(params, secret),
        evaluator(params),
        scratch(evaluator.scratch_words(params.limbs())) {}

  Ciphertext encrypt(const std::vector<double>& v, std::size_t limbs) const {
    return expanded(encryptor.encrypt(v, kScale, limbs), params);
  }
  Ciphertext squared(const Ciphertext& c) const {
    Ciphertext out(params, 3, c.limbs(), c.scale() * c.scale());
    evaluator.square(out.view(), c.view());
    return out;
  }
  // Eight deviations of a slot whose fresh errors were added up with these factors: chance passes them once
  // in 10^15.
  double eight_deviations(std::initializer_list<double> factors) const {
    double squares = 0;
    for (const double f : factors) squares += f * f;
    const double n = static_cast<double>(params.n());
    const double slot = params.ring_type() == RingType::real ? 2 * n : n / 2;
    const double fresh = ring::kErrorDeviation * ring::kErrorDeviation + 1.0 / 12;
    return 8 * std::sqrt(squares * slot * fresh) / kScale;
  }
  std::vector<double> open(const Ciphertext& c) const { return decrypted(decryptor, c, params); }

  Parameters params;
  SecretKey secret;
  EvaluationKeys keys;
  Encryptor encryptor;
  Decryptor decryptor;
  Evaluator evaluator;
  AlignedBuffer<u64> scratch;
};

std::vector<double> map(const std::vector<double>& a, const std::vector<double>& b,
                        double (*f)(double, double)) {
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = f(a[i], b[i]);
  return out;
}
double times(double x, double y) {
  return x * y;
}

TEST_P(EvaluatorCases, LinearOperations) {
  const auto x = random_slots(params.slots(), 1), y = random_slots(params.slots(), 2);
  const auto a = encrypt(x, params.limbs()), b = encrypt(y, params.limbs());
  auto c = a.clone();
  evaluator.add(c.view(), a.view(), b.view());
  EXPECT_LT(largest_difference(open(c), map(x, y, [](double u, double v) { return u + v; })),
            eight_deviations({1, 1}));
  evaluator.subtract(c.view(), a.view(), b.view());
  EXPECT_LT(largest_difference(open(c), map(x, y, [](double u, double v) { return u - v; })),
            eight_deviations({1, 1}));
  evaluator.multiply_scalar(c.view(), a.view(), -37);
  EXPECT_LT(largest_difference(open(c), map(x, y, [](double u, double) { return -37 * u; })),
            eight_deviations({37}));
  evaluator.add_scalar(c.view(), std::int64_t{-3} << 28);
  EXPECT_LT(largest_difference(open(c), map(x, y, [](double u, double) { return -37 * u - 3; })),
            eight_deviations({37}));
}

TEST_P(EvaluatorCases, MixedPolynomialCounts) {
  const auto x = random_slots(params.slots(), 1), y = random_slots(params.slots(), 2);
  const auto square = squared(encrypt(x, params.limbs()));
  auto lifted = encrypt(y, params.limbs());
  evaluator.multiply_scalar(lifted.view(), lifted.view(), std::int64_t{1} << 28);
  Ciphertext c(params, 3, params.limbs(), square.scale());
  evaluator.add(c.view(), square.view(), lifted.view());
  EXPECT_LT(largest_difference(open(c), map(x, y, [](double u, double v) { return u * u + v; })), 1e-5);
  evaluator.subtract(c.view(), lifted.view(), square.view());
  EXPECT_LT(largest_difference(open(c), map(x, y, [](double u, double v) { return v - u * u; })), 1e-5);
}

// Nothing is read past the end of an operand, or left out of one.
TEST_P(EvaluatorCases, OperandsOfOtherShapesAreRefused) {
  const auto limbs = params.limbs();
  const auto a = encrypt(random_slots(params.slots(), 1), limbs),
             low = encrypt(random_slots(params.slots(), 2), limbs - 1);
  Ciphertext two(params, 2, limbs, kScale), three(params, 3, limbs, kScale);
  for (const bool adds : {true, false}) {
    const auto apply = [&](View out, ConstView x, ConstView y) {
      return adds ? evaluator.add(out, x, y) : evaluator.subtract(out, x, y);
    };
    EXPECT_THAT(user_error([&] { apply(two.view(), a.view(), low.view()); }), testing::HasSubstr("limbs"));
    EXPECT_THAT(user_error([&] { apply(two.view(), low.view(), a.view()); }), testing::HasSubstr("limbs"));
    EXPECT_THAT(user_error([&] { apply(two.view(), a.view(), three.view()); }),
                testing::HasSubstr("polynomials"));
    EXPECT_THAT(user_error([&] { apply(three.view(), a.view(), a.view()); }),
                testing::HasSubstr("polynomials"));
    auto short_view = a.view();
    short_view.n /= 2;
    EXPECT_THAT(user_error([&] { apply(two.view(), a.view(), short_view); }),
                testing::HasSubstr("dimension"));
  }
}

TEST_P(EvaluatorCases, RelinearisesAtEveryHeight) {
  const auto x = random_slots(params.slots(), 3), y = random_slots(params.slots(), 4);
  for (std::size_t limbs = 2; limbs <= params.limbs(); ++limbs) {
    const auto a = encrypt(x, limbs), b = encrypt(y, limbs);
    Ciphertext product(params, 3, limbs, kScale * kScale), out(params, 2, limbs, kScale * kScale);
    evaluator.multiply(product.view(), a.view(), b.view());
    EXPECT_LT(largest_difference(open(product), map(x, y, times)), 1e-5) << limbs;
    evaluator.relinearise(out.view(), product.view(), keys.relinearise, scratch.data());
    EXPECT_LT(largest_difference(open(out), map(x, y, times)), 1e-5) << limbs;
    // In place, in the storage of the three polynomials.
    View in_place = product.view();
    in_place.polys = 2;
    evaluator.relinearise(in_place, product.view(), keys.relinearise, scratch.data());
    for (std::size_t p = 0; p < 2; ++p)
      for (std::size_t l = 0; l < limbs; ++l)
        EXPECT_TRUE(
            std::equal(out.view().limb(p, l), out.view().limb(p, l) + params.n(), in_place.limb(p, l)));
  }
}

TEST_P(EvaluatorCases, RescalesAtEveryHeight) {
  const auto x = random_slots(params.slots(), 5);
  for (std::size_t limbs = 3; limbs <= params.limbs(); ++limbs) {
    const double dropped = static_cast<double>(params.ring().q(limbs - 1));
    const auto square = squared(encrypt(x, limbs));
    Ciphertext two(params, 2, limbs, square.scale());
    Ciphertext apart(params, 2, limbs - 1, square.scale() / dropped),
        fused(params, 2, limbs - 1, apart.scale());
    evaluator.relinearise(two.view(), square.view(), keys.relinearise, scratch.data());
    evaluator.rescale(apart.view(), two.view(), scratch.data());
    evaluator.relinearise_rescale(fused.view(), square.view(), keys.relinearise, scratch.data());
    // Slots of the rounding error: r0 + r1 s, a product of two normal variables (see noise_test.cpp).
    const double tolerance = 20 * 0.48 * static_cast<double>(params.n()) / apart.scale();
    EXPECT_LT(largest_difference(open(apart), map(x, x, times)), tolerance) << limbs;
    EXPECT_LT(largest_difference(open(fused), map(x, x, times)), tolerance) << limbs;
    // The two ways differ by roundings only: (1 + s) / 2 a coefficient, against none.
    const auto a = store(apart.view(), 0, params), f = store(fused.view(), 0, params);
    for (std::size_t i = 0; i < params.n(); ++i) {
      const u64 q = params.ring().q(0), d = (a[0][i] + q - f[0][i]) % q;
      EXPECT_LE(std::min(d, q - d), 2u);
    }
    // In place.
    View in_place = two.view();
    in_place.limbs = limbs - 1;
    evaluator.rescale(in_place, two.view(), scratch.data());
    EXPECT_TRUE(
        std::equal(apart.view().limb(1, 0), apart.view().limb(1, 0) + params.n(), in_place.limb(1, 0)));
  }
}

TEST_P(EvaluatorCases, ChainOfSquares) {
  const auto x = random_slots(params.slots(), 6, 0.9);
  auto expected = x;
  auto c = encrypt(x, params.limbs());
  while (c.limbs() > 2) {
    const double scale = c.scale() * c.scale() / static_cast<double>(params.ring().q(c.limbs() - 1));
    // The scale shrinks from 2^28 to 2^20; bring it back as a weight would.
    const auto lift = static_cast<std::int64_t>(std::llround(kScale / scale));
    auto square = squared(c);
    evaluator.multiply_scalar(square.view(), square.view(), lift);
    Ciphertext next(params, 2, c.limbs() - 1, scale * static_cast<double>(lift));
    evaluator.relinearise_rescale(next.view(), square.view(), keys.relinearise, scratch.data());
    c = std::move(next);
    for (auto& e : expected) e *= e;
  }
  EXPECT_LT(largest_difference(open(c), expected), 1e-3);
}

TEST_P(EvaluatorCases, ShortKeyServesShortCiphertexts) {
  const std::size_t limbs = params.limbs() - 1;
  const auto shorter = generate_keys(params, secret, {limbs}, kRandomness);
  const auto x = random_slots(params.slots(), 7);
  const auto square = squared(encrypt(x, limbs));
  Ciphertext out(params, 2, limbs, square.scale());
  evaluator.relinearise(out.view(), square.view(), shorter.relinearise, scratch.data());
  EXPECT_LT(largest_difference(open(out), map(x, x, times)), 1e-5);
  const auto tall = squared(encrypt(x, params.limbs()));
  Ciphertext tall_out(params, 2, params.limbs(), square.scale());
  const auto message = user_error(
      [&] { evaluator.relinearise(tall_out.view(), tall.view(), shorter.relinearise, scratch.data()); });
  EXPECT_NE(message.find(fmt::format("at most {} limbs", limbs)), std::string::npos) << message;
}

TEST_P(EvaluatorCases, RefusesRescaleOfThreePolynomials) {
  const auto square = squared(encrypt({1.0}, params.limbs()));
  Ciphertext out(params, 3, params.limbs() - 1, 1);
  user_error([&] { evaluator.rescale(out.view(), square.view(), scratch.data()); });
}

// Every variant of the kernels gives the same bits.
TEST_P(EvaluatorCases, SameBitsOnEveryKernelVariant) {
  const auto a = encrypt(random_slots(params.slots(), 8), params.limbs());
  const auto run = [&] {
    const auto square = squared(a);
    Ciphertext out(params, 2, params.limbs() - 1, 1), relinearised(params, 2, params.limbs(), 1);
    evaluator.relinearise_rescale(out.view(), square.view(), keys.relinearise, scratch.data());
    evaluator.relinearise(relinearised.view(), square.view(), keys.relinearise, scratch.data());
    Ciphertext rescaled(params, 2, params.limbs() - 1, 1);
    evaluator.rescale(rescaled.view(), relinearised.view(), scratch.data());
    std::vector<Limbs> all;
    for (std::size_t p = 0; p < 2; ++p) {
      all.push_back(store(out.view(), p, params));
      all.push_back(store(relinearised.view(), p, params));
      all.push_back(store(rescaled.view(), p, params));
    }
    return all;
  };
  const kernels::Table& original = kernels::table();
  kernels::use_table(kernels::table_named("ref"));
  const auto expected = run();
  for (const kernels::Table* t : kernels::available_tables()) {
    kernels::use_table(*t);
    EXPECT_EQ(run(), expected) << t->name;
  }
  kernels::use_table(original);
}

INSTANTIATE_TEST_SUITE_P(Rings, EvaluatorCases,
                         testing::Values(Case{RingType::real, 16, 3, 1}, Case{RingType::standard, 16, 3, 1},
                                         Case{RingType::real, 64, 4, 1}, Case{RingType::standard, 64, 4, 1},
                                         Case{RingType::real, 256, 6, 2}, Case{RingType::standard, 256, 6, 2},
                                         Case{RingType::real, 256, 7, 3}, Case{RingType::standard, 256, 7, 3},
                                         Case{RingType::real, 1024, 5, 1}, Case{RingType::real, 1024, 10, 4}),
                         [](const auto& i) {
                           return fmt::format("{}_n{}_limbs{}_alpha{}", ring::name(i.param.ring), i.param.n,
                                              i.param.limbs, i.param.alpha);
                         });

}  // namespace
}  // namespace velum::ckks::test
