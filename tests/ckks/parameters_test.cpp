#include <cmath>

#include "support.h"

namespace velum::ckks::test {
namespace {

using testing::HasSubstr;

// A literal whose log2(QP) is as close to `bits` as the primes of about 40 bits allow, from the wanted side.
ParametersLiteral of_total(std::size_t n, double bits, Security security) {
  ParametersLiteral p;
  p.n = n;
  p.security = security;
  const int count = std::max(1, static_cast<int>(std::ceil(bits / 46)));
  std::vector<u64> taken;
  double left = bits;
  for (int i = 0; i < count; ++i) {
    const u64 q = ring::prime_near(std::exp2(left / (count - i)), ring::root_order(p.ring, n), taken);
    taken.push_back(q);
    left -= std::log2(static_cast<double>(q));
  }
  p.moduli = taken;
  return p;
}

TEST(Security, TableIsThatOfTheGuidelines) {
  const int expected[7][3] = {{26, 0, 0},      {53, 36, 27},    {106, 73, 56},    {214, 147, 114},
                              {430, 297, 230}, {868, 597, 462}, {1747, 1199, 929}};
  for (std::size_t row = 0; row < 7; ++row) {
    const std::size_t n = std::size_t{1024} << row;
    EXPECT_EQ(max_log2_qp(n, Security::bits128), expected[row][0]) << n;
    EXPECT_EQ(max_log2_qp(n, Security::bits192), expected[row][1]) << n;
    EXPECT_EQ(max_log2_qp(n, Security::bits256), expected[row][2]) << n;
  }
  EXPECT_EQ(max_log2_qp(512, Security::bits128), 0);
  EXPECT_EQ(max_log2_qp(1 << 17, Security::bits128), 0);
  EXPECT_EQ(max_log2_qp(5000, Security::bits128), 0);
  EXPECT_EQ(max_log2_qp(8192, Security::none), 0);
}

TEST(Security, EveryRowIsEnforced) {
  for (std::size_t n = 1024; n <= 65536; n *= 2)
    for (const auto level : {Security::bits128, Security::bits192, Security::bits256}) {
      const int limit = max_log2_qp(n, level);
      if (limit > 0) {
        const auto below = of_total(n, limit - 0.4, level);
        double bits = 0;
        for (const u64 q : below.moduli) bits += std::log2(static_cast<double>(q));
        ASSERT_LE(bits, limit) << n;
        if (n <= 16384) {  // larger tables take a while
          EXPECT_NEAR(Parameters(below).log2_qp(), bits, 1e-9);
        }
      }
      if (limit == 0 && n == 1024) {
        EXPECT_THAT(user_error([&] { Parameters{of_total(n, 25, level)}; }), HasSubstr("at most 0"));
        continue;
      }
      const auto message = user_error([&] { Parameters{of_total(n, limit + 0.5, level)}; });
      EXPECT_THAT(message, HasSubstr(fmt::format("at most {} for {} bits", limit, static_cast<int>(level))));
    }
}

TEST(Security, SpecialPrimesCount) {
  auto p = literal(RingType::real, 4096, {36, 36}, {36}, Security::bits128);
  EXPECT_THAT(user_error([&] { Parameters{p}; }), HasSubstr("log2(QP) = 108"));
  p.moduli.pop_back();
  EXPECT_NO_THROW(Parameters{p});
}

// Bit for bit: plans are chosen by comparing such sums.
TEST(Log2Product, IsOneSumInTheOrderOfTheModuli) {
  const auto p = literal(RingType::real, 64, {36, 30, 41.3, 25.1, 47.9}, {47.95, 38});
  const std::vector<double> wanted(p.moduli.begin(), p.moduli.end());
  double sum = 0;
  const auto heights = log2_products(wanted);
  ASSERT_EQ(heights.size(), p.moduli.size() + 1);
  EXPECT_EQ(heights[0], 0);
  for (std::size_t l = 0; l < p.moduli.size(); ++l) {
    EXPECT_EQ(bits_of(p.moduli)[l], std::log2(static_cast<double>(p.moduli[l])));
    EXPECT_EQ(bits_of(wanted)[l], bits_of(p.moduli)[l]);
    sum += bits_of(p.moduli)[l];
    EXPECT_EQ(heights[l + 1], sum);
    EXPECT_EQ(log2_product(std::span(p.moduli).first(l + 1)), sum);
    EXPECT_EQ(log2_product(std::span(wanted).first(l + 1)), sum);
  }
  EXPECT_EQ(log2_qp(p), sum + log2_product(p.special));
  EXPECT_EQ(Parameters(p).log2_qp(), log2_qp(p));
}

TEST(ParametersCheck, RefusesWhatIsWrong) {
  const auto good = literal(RingType::real, 64, {36, 30}, {37});
  EXPECT_NO_THROW(Parameters{good});
  const auto refused = [&](auto change) {
    auto p = good;
    change(p);
    return user_error([&] { Parameters{p}; });
  };
  EXPECT_THAT(refused([](auto& p) { p.n = 48; }), HasSubstr("ring dimension 48"));
  EXPECT_THAT(refused([](auto& p) { p.n = 8; }), HasSubstr("ring dimension 8"));
  EXPECT_THAT(refused([](auto& p) { p.n = 0; }), HasSubstr("ring dimension 0"));
  EXPECT_THAT(refused([](auto& p) { p.n = 2048; }), HasSubstr("without security"));
  EXPECT_THAT(refused([](auto& p) { p.security = Security::bits128; }), HasSubstr("from 1024 to 65536"));
  EXPECT_THAT(refused([](auto& p) { p.security = static_cast<Security>(100); }),
              HasSubstr("128, 192 or 256"));
  EXPECT_THAT(refused([](auto& p) { p.ring = static_cast<RingType>(7); }), HasSubstr("ring type 7"));
  EXPECT_THAT(refused([](auto& p) { p.moduli.clear(); }), HasSubstr("no modulus"));
  EXPECT_THAT(refused([](auto& p) { p.moduli.resize(65, 97); }), HasSubstr("65 moduli"));
  EXPECT_THAT(refused([](auto& p) { p.special.resize(17, 97); }), HasSubstr("17 special primes"));
  EXPECT_THAT(refused([](auto& p) { p.moduli[1] += 2; }), HasSubstr("not 1 mod 256"));
  EXPECT_THAT(refused([](auto& p) { p.moduli[1] = p.moduli[0]; }), HasSubstr("appears twice"));
  EXPECT_THAT(refused([](auto& p) { p.special[0] = p.moduli[0]; }), HasSubstr("appears twice"));
  EXPECT_THAT(refused([](auto& p) { p.moduli[0] = (u64{1} << 48) + 1; }), HasSubstr("out of range"));
  EXPECT_THAT(refused([](auto& p) { p.moduli[0] = 257; }), HasSubstr("out of range"));
  EXPECT_THAT(refused([](auto& p) { std::swap(p.moduli[0], p.special[0]); }),
              HasSubstr("special primes must"));
  EXPECT_THAT(refused([](auto& p) {
                u64 q = p.moduli[0];
                do q += 256;
                while (ring::is_prime(q));
                p.moduli[0] = q;
              }),
              HasSubstr("not a prime"));
}

TEST(ParametersFile, RoundTrip) {
  const Parameters p(literal(RingType::standard, 2048, {30}, {}, Security::bits128));
  ByteWriter out;
  p.write(out);
  ByteReader in(out.bytes(), "test");
  const Parameters q = Parameters::read(in);
  in.expect_end();
  EXPECT_EQ(q.literal(), p.literal());
  EXPECT_EQ(q.id(), p.id());
  EXPECT_EQ(q.id_text().size(), 32u);
}

TEST(ParametersFile, RefusesParametersWithoutSecurity) {
  ByteWriter out;
  Parameters(literal(RingType::real, 1024, {30}, {})).write(out);
  ByteReader in(out.bytes(), "some.file");
  EXPECT_THAT(user_error([&] { Parameters::read(in); }), HasSubstr("some.file: parameters without security"));
}

// Whatever the bytes: an error that names the file, or checked parameters.
TEST(ParametersFile, DamagedBytes) {
  ByteWriter out;
  Parameters(literal(RingType::real, 2048, {24}, {25}, Security::bits128)).write(out);
  const auto bytes = out.bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto cut = std::span<const std::uint8_t>(bytes).first(length);
    ByteReader in(cut, "some.file");
    EXPECT_THAT(user_error([&] { Parameters::read(in); }), HasSubstr("some.file: truncated"));
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
    ByteReader in(flipped, "some.file");
    try {
      const Parameters p = Parameters::read(in);
      EXPECT_LE(p.log2_qp(), max_log2_qp(p.n(), p.literal().security));
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("some.file"));
    }
  }
}

TEST(ParametersId, TellsEveryFieldApart) {
  const auto base = literal(RingType::real, 64, {36, 30}, {37});
  std::vector<ParametersLiteral> all(5, base);
  all[1].ring = RingType::standard;
  all[2].n = 32;
  std::swap(all[3].moduli[0], all[3].moduli[1]);
  all[4].special.clear();
  std::vector<std::string> ids;
  for (const auto& p : all) ids.push_back(Parameters(p).id_text());
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

}  // namespace
}  // namespace velum::ckks::test
