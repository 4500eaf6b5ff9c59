// Every entry of every variant against the reference: random and edge inputs, in place where allowed,
// canaries around the outputs, arrays off their alignment.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "support.h"

namespace velum::kernels::testing {
namespace {

const Table& ref() {
  return table_named("ref");
}

std::string variant_name(const ::testing::TestParamInfo<const Table*>& info) {
  return info.param->name;
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const auto b : bytes) text += fmt::format("{:02x}", b);
  return text;
}

class Variant : public ::testing::TestWithParam<const Table*> {
 protected:
  const Table& variant() const { return *GetParam(); }

  static void expect_equal(Guarded<u64>& actual, const std::vector<u64>& expected, const std::string& what) {
    EXPECT_TRUE(actual.intact()) << what << ": written outside the array";
    const auto values = actual.values();
    EXPECT_TRUE(values == expected) << what << ": " << describe(expected, values);
  }
};

const auto kVariants = ::testing::ValuesIn(available_tables().begin(), available_tables().end());
INSTANTIATE_TEST_SUITE_P(Kernels, Variant, kVariants, variant_name);

TEST_P(Variant, TransformsOfEverySizeAndRing) {
  Random random(11);
  for (std::size_t n = 8; n <= 65536; n *= 2) {
    auto primes = test_primes(4 * n);
    if (n > 4096) primes.resize(4);  // the tables cost more than the transforms
    for (const u64 q : primes) {
      if (q < (1u << 20)) continue;
      for (const bool real : {false, true}) {
        const Transform t(n, q, real);
        std::vector<std::vector<u64>> inputs{random_residues(n, q, random), std::vector<u64>(n, q - 1),
                                             std::vector<u64>(n, 0)};
        inputs[2][n / 2] = q - 1;
        for (const auto& input : inputs) {
          const std::string what = fmt::format("n = {}, q = {}, real = {}", n, q, real);
          auto expected = input;
          ref().ntt_forward(expected.data(), t.tables);
          Guarded<u64> x(n, n % 3);
          x.assign(input);
          variant().ntt_forward(x.data(), t.tables);
          expect_equal(x, expected, "ntt_forward, " + what);
          expected = input;
          ref().ntt_inverse(expected.data(), t.tables);
          x.assign(input);
          variant().ntt_inverse(x.data(), t.tables);
          expect_equal(x, expected, "ntt_inverse, " + what);
        }
        if (HasFailure()) return;
      }
    }
  }
}

// Lazy values come near their bounds only now and then, and only for the largest primes: many transforms of
// one.
TEST_P(Variant, ManyTransformsModuloTheLargestPrime) {
  Random random(18);
  for (const std::size_t n : {4096, 8192}) {
    const u64 q = test_primes(4 * n)[0];
    const Transform t(n, q, true);
    for (int round = 0; round < 100; ++round) {
      std::vector<u64> input(n);
      for (u64& v : input) v = random() % q;
      auto expected = input;
      ref().ntt_forward(expected.data(), t.tables);
      auto actual = input;
      variant().ntt_forward(actual.data(), t.tables);
      ASSERT_TRUE(actual == expected) << "ntt_forward, n = " << n << ": " << describe(expected, actual);
      variant().ntt_inverse(actual.data(), t.tables);
      ASSERT_TRUE(actual == input) << "ntt_inverse, n = " << n << ": " << describe(input, actual);
    }
  }
}

// A permutation as automorphisms are: groups of eight change places, and within them the fours and their
// members.
std::vector<std::uint32_t> grouped_permutation(std::size_t n, Random& random) {
  std::vector<std::uint32_t> groups(n / 8), out;
  for (std::size_t g = 0; g < groups.size(); ++g) groups[g] = static_cast<std::uint32_t>(g);
  std::ranges::shuffle(groups, random);
  for (const std::uint32_t g : groups) {
    std::uint32_t places[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    std::shuffle(places, places + 4, random);
    std::shuffle(places + 4, places + 8, random);
    if (random() % 2) std::rotate(places, places + 4, places + 8);
    for (const std::uint32_t p : places) out.push_back(8 * g + p);
  }
  return out;
}

TEST_P(Variant, Permute) {
  Random random(19);
  for (const std::size_t n : {16, 48, 1024}) {
    const auto source = grouped_permutation(n, random);
    const auto input = random_residues(n, (u64{1} << 48) - 1, random);
    std::vector<u64> expected(n);
    for (std::size_t i = 0; i < n; ++i) expected[i] = input[source[i]];
    Guarded<u64> out(n, 1), in(n, 3);
    in.assign(input);
    variant().permute(out.data(), in.data(), source.data(), n);
    expect_equal(out, expected, fmt::format("permute, n = {}", n));
  }
}

// Calls `f(table, out, a, b)` for the reference and the variant; the output apart, then in place of a, then
// of b.
template <typename F>
void check_binary(const Table& variant, const Table& reference, std::size_t n, u64 q, Random& random,
                  const char* name, F f) {
  const auto a = random_residues(n, q, random), b = random_residues(n, q, random),
             c = random_residues(n, q, random);
  const auto compare = [&](Guarded<u64>& out, const std::vector<u64>& expected, const char* where) {
    EXPECT_TRUE(out.intact()) << name << ": written outside the array";
    const auto values = out.values();
    EXPECT_TRUE(values == expected) << name << ", output " << where << ", n = " << n << ", q = " << q << ": "
                                    << describe(expected, values);
  };
  auto expected = c;
  f(reference, expected.data(), a.data(), b.data());
  Guarded<u64> out(n, 1), x(n, 3), y(n, 5);
  out.assign(c);
  x.assign(a);
  y.assign(b);
  f(variant, out.data(), x.data(), y.data());
  compare(out, expected, "apart");
  expected = a;
  f(reference, expected.data(), expected.data(), b.data());
  f(variant, x.data(), x.data(), y.data());
  compare(x, expected, "on the first input");
  x.assign(a);
  expected = b;
  f(reference, expected.data(), a.data(), expected.data());
  f(variant, y.data(), x.data(), y.data());
  compare(y, expected, "on the second input");
}

TEST_P(Variant, ElementWise) {
  Random random(12);
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    for (const std::size_t n : {16, 48, 1024}) {
      for (const u64 value : {u64{0}, u64{1}, q - 1, q / 2, random() % q}) {
        const Factor w = make_factor(value, m);
        const auto check = [&](const char* name, auto f) {
          check_binary(variant(), ref(), n, q, random, name, f);
        };
        check("add", [&](const Table& t, u64* o, const u64* a, const u64* b) { t.add(o, a, b, n, m); });
        check("subtract",
              [&](const Table& t, u64* o, const u64* a, const u64* b) { t.subtract(o, a, b, n, m); });
        check("negate", [&](const Table& t, u64* o, const u64* a, const u64*) { t.negate(o, a, n, m); });
        check("multiply",
              [&](const Table& t, u64* o, const u64* a, const u64* b) { t.multiply(o, a, b, n, m); });
        check("multiply_add",
              [&](const Table& t, u64* o, const u64* a, const u64* b) { t.multiply_add(o, a, b, n, m); });
        check("multiply_scalar",
              [&](const Table& t, u64* o, const u64* a, const u64*) { t.multiply_scalar(o, a, w, n, m); });
        check("multiply_scalar_add", [&](const Table& t, u64* o, const u64* a, const u64*) {
          t.multiply_scalar_add(o, a, w, n, m);
        });
        check("add_scalar",
              [&](const Table& t, u64* o, const u64* a, const u64*) { t.add_scalar(o, a, w.value, n, m); });
        check("subtract_multiply_scalar", [&](const Table& t, u64* o, const u64* a, const u64* b) {
          t.subtract_multiply_scalar(o, a, b, w, n, m);
        });
        if (HasFailure()) return;
      }
    }
  }
}

TEST_P(Variant, SquareTerms) {
  Random random(13);
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    for (const std::size_t n : {16, 80, 1024}) {
      const auto a = random_residues(n, q, random), b = random_residues(n, q, random);
      std::vector<u64> e0(n), e1(n), e2(n);
      ref().square_terms(e0.data(), e1.data(), e2.data(), a.data(), b.data(), n, m);
      Guarded<u64> s0(n, 1), s1(n, 2), s2(n, 3), x(n), y(n);
      variant().square_terms(s0.data(), s1.data(), s2.data(), a.data(), b.data(), n, m);
      expect_equal(s0, e0, "square_terms s0");
      expect_equal(s1, e1, "square_terms s1");
      expect_equal(s2, e2, "square_terms s2");
      x.assign(a);
      y.assign(b);
      variant().square_terms(x.data(), y.data(), s2.data(), x.data(), y.data(), n, m);
      expect_equal(x, e0, "square_terms s0 in place");
      expect_equal(y, e1, "square_terms s1 in place");
      expect_equal(s2, e2, "square_terms s2");
    }
  }
}

// Sums of 1 to 130 of 130 inputs (around 64 and 128 they are reduced on the way), all added, all subtracted,
// and both.
TEST_P(Variant, SumSquares) {
  Random random(19);
  const std::size_t n = 48, inputs = 130;
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    std::vector<std::vector<u64>> a, b;
    std::vector<const u64*> c0, c1;
    for (std::size_t k = 0; k < inputs; ++k) {
      a.push_back(random_residues(n, q, random));
      b.push_back(random_residues(n, q, random));
      a.back()[n - 1] = b.back()[n - 1] = q - 1;  // a column of the largest products
    }
    for (std::size_t k = 0; k < inputs; ++k) {
      c0.push_back(a[k].data());
      c1.push_back(b[k].data());
    }
    std::vector<std::uint32_t> begin{0}, subtracted, index;
    for (const std::uint32_t count : {1, 2, 9, 25, 63, 64, 65, 130}) {
      for (const std::uint32_t added : {count, 0u, count / 2, std::min(count, 64u)}) {
        subtracted.push_back(begin.back() + added);
        for (std::uint32_t k = 0; k < count; ++k)
          index.push_back(static_cast<std::uint32_t>((k * 7 + count) % inputs));
        begin.push_back(begin.back() + count);
      }
    }
    const SquareSums sums{.sums = subtracted.size(),
                          .inputs = inputs,
                          .begin = begin.data(),
                          .subtracted = subtracted.data(),
                          .index = index.data()};
    auto bias = random_residues(sums.sums, q, random);
    bias[0] = q - 1;
    for (const u64* biases : {static_cast<const u64*>(nullptr), static_cast<const u64*>(bias.data())}) {
      std::vector<std::vector<u64>> expected(3 * sums.sums, std::vector<u64>(n));
      std::vector<Guarded<u64>> actual;
      for (std::size_t o = 0; o < 3 * sums.sums; ++o) actual.emplace_back(n, o % 4);
      std::vector<u64*> expected_out, out;
      for (auto& e : expected) expected_out.push_back(e.data());
      for (auto& o : actual) out.push_back(o.data());
      ref().sum_squares(expected_out.data(), c0.data(), c1.data(), sums, biases, n, m);
      variant().sum_squares(out.data(), c0.data(), c1.data(), sums, biases, n, m);
      for (std::size_t o = 0; o < 3 * sums.sums; ++o)
        expect_equal(actual[o], expected[o], fmt::format("sum_squares, q = {}, polynomial {}", q, o));
      if (HasFailure()) return;
    }
  }
}

TEST_P(Variant, KeyProduct) {
  Random random(14);
  const std::size_t n = 96;
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    for (const std::size_t digits : {1, 2, 3, 7, 64}) {
      for (const bool extreme : {false, true}) {
        std::vector<std::vector<u64>> data;
        std::vector<const u64*> x, key0, key1;
        for (std::size_t d = 0; d < 3 * digits; ++d) {
          data.push_back(extreme ? std::vector<u64>(n, q - 1) : random_residues(n, q, random));
        }
        for (std::size_t d = 0; d < digits; ++d) {
          x.push_back(data[d].data());
          key0.push_back(data[digits + d].data());
          key1.push_back(data[2 * digits + d].data());
        }
        std::vector<u64> e0(n), e1(n);
        ref().key_product(e0.data(), e1.data(), x.data(), key0.data(), key1.data(), digits, n, m);
        Guarded<u64> o0(n, 1), o1(n, 4);
        variant().key_product(o0.data(), o1.data(), x.data(), key0.data(), key1.data(), digits, n, m);
        expect_equal(o0, e0, fmt::format("key_product 0, {} digits, q = {}", digits, q));
        expect_equal(o1, e1, fmt::format("key_product 1, {} digits, q = {}", digits, q));
      }
    }
  }
}

TEST_P(Variant, BaseConversion) {
  Random random(15);
  const auto primes = test_primes(32);
  for (const std::size_t sources : {1, 2, 3, 5, 8}) {
    for (const std::size_t n : {16, 64, 80, 528}) {
      std::vector<Modulus> source_moduli, target_moduli;
      std::vector<Factor> punctured_inverse;
      std::vector<u64> punctured, product;
      std::vector<std::vector<u64>> in;
      for (std::size_t i = 0; i < sources; ++i) {
        const u64 q = primes[(i * 5 + n) % primes.size()];
        source_moduli.push_back(make_modulus(q));
        punctured_inverse.push_back(make_factor(1 + random() % (q - 1), source_moduli[i]));
        in.push_back(random_residues(n, q, random));
      }
      for (const u64 q : primes) {
        target_moduli.push_back(make_modulus(q));
        for (std::size_t i = 0; i < sources; ++i) punctured.push_back(random() % q);
        product.push_back(q == primes[0] ? 0 : random() % q);
      }
      const std::size_t targets = primes.size();
      const BaseConversion c{sources,
                             targets,
                             source_moduli.data(),
                             punctured_inverse.data(),
                             target_moduli.data(),
                             punctured.data(),
                             product.data()};
      std::vector<const u64*> in_pointers;
      for (auto& v : in) in_pointers.push_back(v.data());
      const std::string what = fmt::format(", {} sources, n = {}", sources, n);
      std::vector<std::vector<u64>> y(sources, std::vector<u64>(n));
      std::vector<Guarded<u64>> scaled;
      std::vector<u64*> y_pointers, scaled_pointers;
      for (std::size_t i = 0; i < sources; ++i) scaled.emplace_back(n, i % 4);
      for (std::size_t i = 0; i < sources; ++i) {
        y_pointers.push_back(y[i].data());
        scaled_pointers.push_back(scaled[i].data());
        scaled[i].assign(in[i]);
      }
      std::vector<std::uint8_t> v(n);
      Guarded<std::uint8_t> quotient(n, sources % 4);
      ref().base_scale(y_pointers.data(), v.data(), in_pointers.data(), n, c);
      variant().base_scale(scaled_pointers.data(), quotient.data(), scaled_pointers.data(), n,
                           c);  // in place
      for (std::size_t i = 0; i < sources; ++i) expect_equal(scaled[i], y[i], "base_scale" + what);
      EXPECT_TRUE(quotient.intact()) << what;
      EXPECT_EQ(quotient.values(), v) << what;
      for (std::size_t j = 0; j < targets; ++j) {
        std::vector<u64> expected(n);
        Guarded<u64> out(n, j % 4);
        ref().base_sum(expected.data(), y_pointers.data(), v.data(), n, c, j);
        variant().base_sum(out.data(), y_pointers.data(), v.data(), n, c, j);
        expect_equal(out, expected, fmt::format("base_sum{}, q = {}", what, target_moduli[j].q));
      }
    }
  }
}

TEST_P(Variant, SignedIntegers) {
  Random random(16);
  const std::size_t n = 1008;
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    const auto sq = static_cast<std::int64_t>(q);
    std::vector<std::int64_t> wide{0,
                                   1,
                                   -1,
                                   sq,
                                   -sq,
                                   sq / 2,
                                   sq / 2 + 1,
                                   -sq / 2,
                                   -sq / 2 - 1,
                                   sq - 1,
                                   1 - sq,
                                   (std::int64_t{1} << 62) - 1,
                                   1 - (std::int64_t{1} << 62)};
    for (std::int64_t k = 1; k < 20; ++k) {
      const std::int64_t multiple = ((std::int64_t{1} << 62) / sq - k) * sq;
      wide.insert(wide.end(), {multiple, multiple + 1, multiple - 1, -multiple, 1 - multiple, -1 - multiple});
    }
    while (wide.size() < n) wide.push_back(static_cast<std::int64_t>(random()) >> (2 + random() % 60));
    std::vector<std::int32_t> narrow(n);
    for (std::size_t i = 0; i < n; ++i) narrow[i] = static_cast<std::int32_t>(random());
    narrow[0] = 0;
    narrow[1] = 2147483647;
    narrow[2] = -2147483647;
    std::vector<u64> expected(n);
    Guarded<u64> out(n, 1);
    ref().from_int64(expected.data(), wide.data(), n, m);
    variant().from_int64(out.data(), wide.data(), n, m);
    expect_equal(out, expected, fmt::format("from_int64, q = {}", q));
    ref().from_int32(expected.data(), narrow.data(), n, m);
    variant().from_int32(out.data(), narrow.data(), n, m);
    expect_equal(out, expected, fmt::format("from_int32, q = {}", q));
  }
}

TEST_P(Variant, Bits) {
  Random random(17);
  for (int bits = 1; bits <= 48; ++bits) {
    for (const std::size_t n : {8, 16, 24, 200}) {
      std::vector<u64> x(n);
      for (u64& v : x) v = random() % 4 == 0 ? (u64{1} << bits) - 1 : random() & ((u64{1} << bits) - 1);
      const std::size_t bytes = n * static_cast<std::size_t>(bits) / 8;
      std::vector<std::uint8_t> expected(bytes);
      ref().pack_bits(expected.data(), x.data(), n, bits);
      Guarded<std::uint8_t> packed(bytes, 3);
      variant().pack_bits(packed.data(), x.data(), n, bits);
      EXPECT_TRUE(packed.intact()) << bits << " bits";
      EXPECT_EQ(packed.values(), expected) << bits << " bits";
      Guarded<u64> back(n, 1);
      // From memory that ends with the values, for a sanitizer to see what is read past them.
      const std::vector<std::uint8_t> exact(expected);
      const u64 largest = variant().unpack_bits(back.data(), exact.data(), n, bits);
      expect_equal(back, x, fmt::format("unpack_bits, {} bits", bits));
      EXPECT_EQ(largest, *std::ranges::max_element(x)) << bits << " bits";
    }
  }
}

// RFC 8439, whose counter of 32 bits and nonce of 96 are words 12 to 15 of the same state: section 2.3.2, and
// the first vector of appendix A.1.
TEST_P(Variant, KeyStreamIsChaCha20) {
  std::array<std::uint8_t, 32> key{};
  Guarded<std::uint8_t> out(64, 5);
  variant().key_stream(out.data(), 1, key.data(), 0, 0);
  EXPECT_TRUE(out.intact());
  EXPECT_EQ(hex(out.values()),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  variant().key_stream(out.data(), 1, key.data(), 0x000000004a000000, 0x0900000000000001);
  EXPECT_EQ(hex(out.values()),
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
            "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
}

TEST_P(Variant, KeyStreamOfEveryLength) {
  Random random(19);
  std::array<std::uint8_t, 32> key;
  for (auto& b : key) b = static_cast<std::uint8_t>(random());
  for (std::size_t blocks = 0; blocks <= 70; ++blocks)
    for (const u64 first : {u64{0}, u64{16}, (u64{1} << 32) - 1 - blocks / 2, ~u64{0} - blocks / 3}) {
      const u64 nonce = random();
      std::vector<std::uint8_t> expected(64 * blocks);
      ref().key_stream(expected.data(), blocks, key.data(), nonce, first);
      Guarded<std::uint8_t> out(64 * blocks, blocks % 7);
      variant().key_stream(out.data(), blocks, key.data(), nonce, first);
      EXPECT_TRUE(out.intact()) << blocks << " blocks from " << first;
      EXPECT_EQ(out.values(), expected) << blocks << " blocks from " << first;
    }
}

// Messages of these lengths and one length, hashed whole: the digests, of 64 bytes.
std::vector<std::string> hashes(const Table& t, const std::vector<std::vector<std::uint8_t>>& messages) {
  const std::size_t bytes = messages[0].size();
  const std::size_t before = bytes == 0 ? 0 : (bytes - 1) / kHashBlock;  // blocks that are not the last
  u64 state[8 * kHashLanes];
  for (std::size_t k = 0; k < 8; ++k)
    std::fill_n(state + k * kHashLanes, kHashLanes, kHashStart[k] ^ (k == 0 ? 0x01010000 ^ 64 : 0));
  std::vector<std::vector<std::uint8_t>> padded = messages;
  const std::uint8_t* in[kHashLanes];
  for (std::size_t i = 0; i < kHashLanes; ++i) {
    padded[i].resize((before + 1) * kHashBlock);
    in[i] = padded[i].data();
  }
  const std::size_t half = before / 2;  // in two calls, and the last block in a third
  t.hash_blocks(state, in, half, kHashBlock, false);
  for (auto& lane : in) lane += half * kHashBlock;
  t.hash_blocks(state, in, before - half, (half + 1) * kHashBlock, false);
  for (auto& lane : in) lane += (before - half) * kHashBlock;
  t.hash_blocks(state, in, 1, bytes, true);
  std::vector<std::string> digests;
  for (std::size_t i = 0; i < kHashLanes; ++i) {
    std::vector<std::uint8_t> digest(64);
    for (std::size_t k = 0; k < 8; ++k) std::memcpy(&digest[8 * k], &state[k * kHashLanes + i], 8);
    digests.push_back(hex(digest));
  }
  return digests;
}

// RFC 7693, appendix A; and messages of many lengths, each lane another.
TEST_P(Variant, HashBlocksAreBlake2b) {
  const std::vector<std::vector<std::uint8_t>> abc(kHashLanes, {'a', 'b', 'c'});
  for (const auto& digest : hashes(variant(), abc))
    EXPECT_EQ(digest,
              "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
              "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
  Random random(21);
  for (const std::size_t bytes : {0u, 1u, 127u, 128u, 129u, 255u, 256u, 257u, 1000u, 4096u}) {
    std::vector<std::vector<std::uint8_t>> messages(kHashLanes, std::vector<std::uint8_t>(bytes));
    for (auto& m : messages)
      for (auto& b : m) b = static_cast<std::uint8_t>(random());
    EXPECT_EQ(hashes(variant(), messages), hashes(ref(), messages)) << bytes;
  }
}

// Moduli of every width that one may have, near all and half of whose candidates are taken; room for all of
// them, for some and for none.
TEST_P(Variant, TakeBelow) {
  Random random(20);
  for (int bits = 21; bits <= 48; ++bits)
    for (const u64 q : {(u64{1} << (bits - 1)) + 1, u64{5} << (bits - 3), (u64{1} << bits) - 1}) {
      if (q >= (u64{1} << 48) - (u64{1} << 33)) continue;
      const auto m = make_modulus(q);
      const std::size_t bytes = candidate_bytes(q);
      for (const std::size_t candidates : {0u, 8u, 16u, 24u, 200u}) {
        std::vector<std::uint8_t> in(candidates * bytes + kCandidateSlack);
        for (auto& b : in) b = static_cast<std::uint8_t>(random());
        for (std::size_t k = 0; k < candidates; k += 3)  // edges among them
          for (std::size_t b = 0; b < bytes; ++b)
            in[k * bytes + b] = static_cast<std::uint8_t>((q - k % 2) >> (8 * b));
        std::vector<u64> below;
        for (std::size_t k = 0; k < candidates; ++k) {
          u64 x = 0;
          for (std::size_t b = 0; b < bytes; ++b) x |= u64{in[k * bytes + b]} << (8 * b);
          x &= (u64{1} << bits) - 1;
          if (x < q) below.push_back(x);
        }
        for (const std::size_t room : {below.size() + 9, below.size(), below.size() / 2, std::size_t{0}}) {
          Guarded<u64> out(room, 1);
          const std::size_t taken = variant().take_below(out.data(), room, in.data(), candidates, m);
          const auto what = fmt::format("take_below, q = {}, {} of {}", q, room, candidates);
          EXPECT_TRUE(out.intact()) << what;
          ASSERT_EQ(taken, std::min(room, below.size())) << what;
          auto values = out.values();
          values.resize(taken);
          EXPECT_EQ(values,
                    std::vector<u64>(below.begin(), below.begin() + static_cast<std::ptrdiff_t>(taken)))
              << what;
        }
      }
    }
}

}  // namespace
}  // namespace velum::kernels::testing
