// Rotations on ciphertexts: slots against their order, exhaustively on a tiny ring; hoisted against plain
// ones bit for bit; sums kept over QP against sums of rotations.
#include <cstring>

#include "support.h"

namespace velum::ckks::test {
namespace {

using testing::HasSubstr;

constexpr double kScale = 0x1p30;

class Rotate : public testing::TestWithParam<std::tuple<RingType, std::size_t>> {
 protected:
  RingType type = std::get<0>(GetParam());
  std::size_t alpha = std::get<1>(GetParam());
  Parameters params{literal(type, 32, {40, 36, 36, 36}, std::vector<double>(alpha, 45))};
  SecretKey secret = SecretKey::from_seed(params, Seed{3});
  EvaluationKeys keys = generate_keys(params, secret, all_rotations(), kRandomness);
  Evaluator evaluator{params};
  Encryptor encryptor{params, secret, kRandomness};
  Decryptor decryptor{params, secret};
  AlignedBuffer<u64> scratch{evaluator.scratch_words(4)};

  KeyList all_rotations() const {
    KeyList list;
    for (std::uint32_t r = 1; r < params.slots(); ++r) list.rotations.push_back({r, 4});
    return list;
  }
  Ciphertext encrypted(std::span<const double> values, std::size_t limbs) const {
    return expanded(encryptor.encrypt(values, kScale, limbs), params);
  }
  ring::Rotation by(std::int64_t steps) const { return {type, params.n(), steps}; }
  const SwitchKey& key(std::int64_t steps) const { return *rotation_key(keys, steps, params); }
  std::vector<double> shifted(std::span<const double> v, std::int64_t steps) const {
    std::vector<double> out(v.begin(), v.end());
    std::rotate(out.begin(), out.begin() + ring::normalised_steps(steps, v.size()), out.end());
    return out;
  }
};

bool same(const Ciphertext& a, const Ciphertext& b) {
  return a.limbs() == b.limbs() &&
         std::memcmp(a.view().data, b.view().data, 2 * a.limbs() * a.n() * sizeof(u64)) == 0;
}

TEST_P(Rotate, BringsSlotJPlusStepsToSlotJ) {
  const auto values = random_slots(params.slots(), 1);
  const auto m = static_cast<std::int64_t>(params.slots());
  for (const std::size_t limbs : {1u, 2u, 3u, 4u}) {
    const auto in = encrypted(values, limbs);
    for (std::int64_t r = 1 - m; r < m; ++r) {
      if (r == 0) continue;
      Ciphertext out(params, 2, limbs, in.scale());
      evaluator.rotate(out.view(), in.view(), key(r), by(r), scratch.data());
      EXPECT_LT(largest_difference(decrypted(decryptor, out, params), shifted(values, r)), 1e-6) << r;
      auto place = in.clone();
      evaluator.rotate(place.view(), place.view(), key(r), by(r), scratch.data());
      EXPECT_TRUE(same(place, out)) << r;
    }
  }
}

TEST_P(Rotate, RescalesInTheSameDivision) {
  const auto values = random_slots(params.slots(), 2);
  for (const std::size_t limbs : {2u, 3u, 4u}) {
    const double scale = kScale * static_cast<double>(params.ring().q(limbs - 1));
    auto in = expanded(encryptor.encrypt(values, std::min(scale, 0x1p60), limbs), params);
    const double left = in.scale() / static_cast<double>(params.ring().q(limbs - 1));
    Ciphertext out(params, 2, limbs - 1, left);
    evaluator.rotate(out.view(), in.view(), key(7), by(7), scratch.data());
    EXPECT_LT(largest_difference(decrypted(decryptor, out, params), shifted(values, 7)), 1e-5) << limbs;
  }
}

TEST_P(Rotate, HoistedGivesTheSameBits) {
  const auto values = random_slots(params.slots(), 3);
  for (const std::size_t limbs : {1u, 2u, 3u, 4u}) {
    const auto in = encrypted(values, limbs);
    AlignedBuffer<u64> storage(evaluator.decomposed_words(limbs));
    const auto x = evaluator.decompose(in.view(), storage.data(), scratch.data());
    for (std::uint32_t r = 1; r < params.slots(); ++r) {
      Ciphertext plain(params, 2, limbs, 1), hoisted(params, 2, limbs, 1);
      evaluator.rotate(plain.view(), in.view(), key(r), by(r), scratch.data());
      evaluator.rotate_decomposed(hoisted.view(), x, key(r), by(r), scratch.data());
      EXPECT_TRUE(same(plain, hoisted)) << limbs << " " << r;
      if (limbs < 2) continue;
      Ciphertext low(params, 2, limbs - 1, 1), hoisted_low(params, 2, limbs - 1, 1);
      evaluator.rotate(low.view(), in.view(), key(r), by(r), scratch.data());
      evaluator.rotate_decomposed(hoisted_low.view(), x, key(r), by(r), scratch.data());
      EXPECT_TRUE(same(low, hoisted_low)) << limbs << " " << r;
    }
  }
}

// Rotate-and-add over all powers of two gives every slot the sum of all.
TEST_P(Rotate, SumsOfAllSlots) {
  const auto values = random_slots(params.slots(), 4);
  double sum = 0;
  for (const double v : values) sum += v;
  auto at = encrypted(values, 3);
  for (std::size_t r = 1; r < params.slots(); r *= 2) {
    Ciphertext moved(params, 2, 3, at.scale());
    const auto steps = static_cast<std::int64_t>(r);
    evaluator.rotate(moved.view(), at.view(), key(steps), by(steps), scratch.data());
    evaluator.add(at.view(), at.view(), moved.view());
  }
  EXPECT_LT(largest_difference(decrypted(decryptor, at, params), std::vector<double>(params.slots(), sum)),
            1e-5);
}

TEST_P(Rotate, SumsOverQPAreDividedOnce) {
  const auto a = random_slots(params.slots(), 5), b = random_slots(params.slots(), 6);
  for (const std::size_t limbs : {1u, 2u, 3u, 4u}) {
    const double scale = limbs < 2 ? kScale : 0x1p58;
    const auto x = expanded(encryptor.encrypt(a, scale, limbs), params);
    const auto y = expanded(encryptor.encrypt(b, scale, limbs), params);
    AlignedBuffer<u64> storage(2 * evaluator.decomposed_words(limbs)), sum(evaluator.extended_words(limbs));
    const auto dx = evaluator.decompose(x.view(), storage.data(), scratch.data());
    const auto dy =
        evaluator.decompose(y.view(), storage.data() + evaluator.decomposed_words(limbs), scratch.data());
    evaluator.start_extended(sum.data(), x.view());
    for (const int r : {1, 5, -3})
      evaluator.add_rotated_extended(sum.data(), dx, key(r), by(r), scratch.data());
    evaluator.add_rotated_extended(sum.data(), dy, key(2), by(2), scratch.data());
    AlignedBuffer<u64> again(sum.size());
    std::ranges::copy(sum, again.begin());
    std::vector<double> expected = a;
    for (const auto& part : {shifted(a, 1), shifted(a, 5), shifted(a, -3), shifted(b, 2)})
      for (std::size_t j = 0; j < expected.size(); ++j) expected[j] += part[j];
    Ciphertext out(params, 2, limbs, x.scale());
    evaluator.divide_extended(out.view(), sum.data(), limbs, scratch.data());
    EXPECT_LT(largest_difference(decrypted(decryptor, out, params), expected), 1e-6) << limbs;
    if (limbs < 2) continue;
    Ciphertext low(params, 2, limbs - 1, x.scale() / static_cast<double>(params.ring().q(limbs - 1)));
    evaluator.divide_extended(low.view(), again.data(), limbs, scratch.data());
    EXPECT_LT(largest_difference(decrypted(decryptor, low, params), expected), 1e-4) << limbs;
  }
}

TEST_P(Rotate, RefusesWhatDoesNotFit) {
  const auto in = encrypted(random_slots(params.slots(), 7), 3);
  Ciphertext out(params, 2, 3, 1), wrong(params, 3, 3, 1), low(params, 2, 1, 1);
  const auto short_key = generate_keys(params, secret, {2, {{1, 2}}}, kRandomness);
  const auto refused = [&](View o, ConstView i, const SwitchKey& k, std::int64_t steps) {
    return user_error([&] { evaluator.rotate(o, i, k, by(steps), scratch.data()); });
  };
  EXPECT_THAT(refused(out.view(), in.view(), short_key.rotations[0], 1), HasSubstr("at most 2 limbs"));
  EXPECT_THAT(refused(out.view(), in.view(), key(2), 1), HasSubstr("with the key for rotations by 2"));
  EXPECT_THAT(refused(out.view(), in.view(), short_key.relinearise, 1), HasSubstr("at most 2 limbs"));
  EXPECT_THAT(refused(out.view(), wrong.view(), key(1), 1), HasSubstr("3 polynomials"));
  EXPECT_THAT(refused(low.view(), in.view(), key(1), 1), HasSubstr("of 3, or of one limb fewer"));
  EXPECT_THAT(user_error([&] { evaluator.relinearise(out.view(), wrong.view(), key(1), scratch.data()); }),
              HasSubstr("relinearisation key"));
}

INSTANTIATE_TEST_SUITE_P(TinyRings, Rotate,
                         testing::Combine(testing::Values(RingType::real, RingType::standard),
                                          testing::Values(1, 2, 3)),
                         [](const auto& i) {
                           return std::string(name(std::get<0>(i.param))) +
                                  std::to_string(std::get<1>(i.param));
                         });

}  // namespace
}  // namespace velum::ckks::test
