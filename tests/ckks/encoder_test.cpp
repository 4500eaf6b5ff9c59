#include "ckks/core/encoder.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "support.h"

namespace velum::ckks::test {
namespace {

class Encoding : public testing::TestWithParam<std::tuple<RingType, std::size_t>> {
 protected:
  RingType ring = std::get<0>(GetParam());
  std::size_t n = std::get<1>(GetParam());
  Encoder encoder{ring, n};
};

// The definition: slot j is the value at exp(2 pi i 5^j / order), real part.
TEST_P(Encoding, DecodesByDefinition) {
  if (n > 1024) return;  // the definition is slow; the round trip covers larger rings
  const auto a = random_slots(n, 1, 1000);
  std::vector<double> slots(encoder.slots());
  encoder.decode(slots, a, 4.0);
  const u64 order = ring::root_order(ring, n);
  u64 e = 1;
  for (std::size_t j = 0; j < slots.size(); ++j, e = e * 5 % order) {
    double sum = a[0];
    for (std::size_t i = 1; i < n; ++i) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(e * i % order) / static_cast<double>(order);
      sum += (ring == RingType::real ? 2 : 1) * a[i] * std::cos(angle);
    }
    ASSERT_NEAR(slots[j], sum / 4, 1e-9 * static_cast<double>(n)) << j;
  }
}

TEST_P(Encoding, RoundTrip) {
  const auto values = random_slots(encoder.slots(), 2);
  std::vector<std::int64_t> m(n);
  const double scale = 0x1p40;
  encoder.encode(m, values, scale);
  const std::vector<double> a(m.begin(), m.end());
  std::vector<double> back(values.size());
  encoder.decode(back, a, scale);
  // Rounding n coefficients by up to 1/2.
  EXPECT_LT(largest_difference(back, values), 4 * std::sqrt(static_cast<double>(n)) / scale + 1e-13);
}

TEST_P(Encoding, ConstantIsAConstant) {
  std::vector<std::int64_t> m(n);
  encoder.encode(m, std::vector<double>(encoder.slots(), 3.0), 1024);
  EXPECT_EQ(m[0], 3072);
  EXPECT_TRUE(std::all_of(m.begin() + 1, m.end(), [](auto x) { return x == 0; }));
}

TEST_P(Encoding, MissingValuesAreZero) {
  std::vector<std::int64_t> some(n), padded(n);
  auto values = random_slots(encoder.slots(), 3);
  encoder.encode(some, std::span(values).first(5), 0x1p30);
  std::fill(values.begin() + 5, values.end(), 0.0);
  encoder.encode(padded, values, 0x1p30);
  EXPECT_EQ(some, padded);
  encoder.encode(some, {}, 0x1p30);
  EXPECT_EQ(some, std::vector<std::int64_t>(n));
}

// Products of encoded slots are encodings of products: the transform is the one of the ring.
TEST_P(Encoding, ProductOfSlots) {
  if (n > 1024) return;
  const Parameters params(literal(ring, n, {47}, {}));
  const auto x = random_slots(encoder.slots(), 4), y = random_slots(encoder.slots(), 5);
  const double scale = 0x1p18;
  std::vector<std::int64_t> m(n);
  std::vector<u64> a(n), b(n);
  const auto& k = kernels::table();
  for (auto [values, out] : {std::pair{&x, &a}, std::pair{&y, &b}}) {
    encoder.encode(m, *values, scale);
    k.from_int64(out->data(), m.data(), n, params.ring().modulus(0));
    k.ntt_forward(out->data(), params.ring().ntt(0));
  }
  k.multiply(a.data(), a.data(), b.data(), n, params.ring().modulus(0));
  k.ntt_inverse(a.data(), params.ring().ntt(0));
  std::vector<double> c(n), got(x.size());
  for (std::size_t i = 0; i < n; ++i) {
    const auto q = params.ring().q(0);
    c[i] = a[i] > q / 2 ? -static_cast<double>(q - a[i]) : static_cast<double>(a[i]);
  }
  encoder.decode(got, c, scale * scale);
  for (std::size_t j = 0; j < x.size(); ++j) ASSERT_NEAR(got[j], x[j] * y[j], 1e-3);
}

TEST_P(Encoding, RefusesWhatCannotBeEncoded) {
  std::vector<std::int64_t> m(n);
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_THAT(user_error([&] {
                encoder.encode(m, std::vector<double>{1, std::nan("")}, 1024);
              }),
              testing::HasSubstr("slot 1"));
  for (const double bad : {inf, -inf, 0x1p52})
    EXPECT_THAT(user_error([&] { encoder.encode(m, std::vector<double>{bad}, 1024); }),
                testing::HasSubstr("slot 0"));
  EXPECT_NO_THROW(encoder.encode(m, std::vector<double>{0x1p50}, 1024));
  for (const double scale : {0.0, -1.0, inf, std::nan("")})
    EXPECT_THAT(user_error([&] { encoder.encode(m, std::vector<double>{1}, scale); }),
                testing::HasSubstr("scale"));
  const std::vector<double> many(encoder.slots() + 1);
  EXPECT_THAT(user_error([&] { encoder.encode(m, many, 1024); }), testing::HasSubstr("split the batch"));
  m.pop_back();
  EXPECT_THAT(user_error([&] { encoder.encode(m, {}, 1024); }), testing::HasSubstr("coefficients"));
}

INSTANTIATE_TEST_SUITE_P(Rings, Encoding,
                         testing::Combine(testing::Values(RingType::real, RingType::standard),
                                          testing::Values(16, 32, 256, 1024, 8192, 65536)),
                         [](const auto& i) {
                           return fmt::format("{}_n{}", ring::name(std::get<0>(i.param)),
                                              std::get<1>(i.param));
                         });

}  // namespace
}  // namespace velum::ckks::test
