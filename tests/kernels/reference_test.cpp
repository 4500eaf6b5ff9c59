// The reference kernels against schoolbook arithmetic with 128-bit remainders.
#include <gtest/gtest.h>

#include <cmath>

#include "support.h"

namespace velum::kernels::testing {
namespace {

const Table& ref() {
  return table_named("ref");
}

class ReferenceTransform : public ::testing::TestWithParam<std::tuple<std::size_t, bool>> {};

TEST_P(ReferenceTransform, EvaluatesThePolynomialAndComesBack) {
  const auto [n, real] = GetParam();
  Random random(1);
  for (const u64 q : test_primes(4 * n)) {
    const Transform t(n, q, real);
    const auto a = random_residues(n, q, random);
    auto x = a;
    ref().ntt_forward(x.data(), t.tables);
    for (std::size_t k = 0; k < n; ++k) {
      const u64 point = power_mod(t.zeta, t.evaluation_exponent[k], q), inverse = inverse_mod(point, q);
      u64 value = 0, power = 1, inverse_power = 1;
      for (std::size_t i = 0; i < n; ++i) {
        const u64 basis = real && i ? (power + inverse_power) % q : power;
        value = (value + multiply_mod(a[i], basis, q)) % q;
        power = multiply_mod(power, point, q);
        inverse_power = multiply_mod(inverse_power, inverse, q);
      }
      ASSERT_EQ(x[k], value) << "q = " << q << ", output " << k;
    }
    ref().ntt_inverse(x.data(), t.tables);
    ASSERT_EQ(x, a) << "q = " << q;
  }
}

INSTANTIATE_TEST_SUITE_P(Small, ReferenceTransform,
                         ::testing::Combine(::testing::Values(8, 16, 32, 64, 256), ::testing::Bool()));

// In the standard ring, X^n = -1; in the real one with C_i = X^i + X^-i, C_i C_j = C_{i+j} + C_{|i-j|},
// C_{2n-i} = -C_i.
TEST(Reference, ProductsOfEvaluationsAreRingProducts) {
  const std::size_t n = 16;
  Random random(2);
  for (const u64 q : test_primes(4 * n)) {
    for (const bool real : {false, true}) {
      const Transform t(n, q, real);
      const auto a = random_residues(n, q, random), b = random_residues(n, q, random);
      std::vector<u64> expected(n, 0);
      const auto put = [&](std::size_t i, u64 value) {  // value * X^i, or value * C_i (C_0 = 2, C_n = 0)
        bool minus = false;
        if (real && i > n) i = 2 * n - i, minus = true;
        if (real && i == n) return;
        if (!real && i >= n) i -= n, minus = true;
        if (real && i == 0) value = value * 2 % q;
        expected[i] = (expected[i] + (minus ? q - value : value)) % q;
      };
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          const u64 product = multiply_mod(a[i], b[j], q);
          if (real && (i == 0 || j == 0)) {
            expected[i + j] = (expected[i + j] + product) % q;
          } else {
            put(i + j, product);
            if (real) put(i > j ? i - j : j - i, product);
          }
        }
      }
      auto x = a, y = b;
      ref().ntt_forward(x.data(), t.tables);
      ref().ntt_forward(y.data(), t.tables);
      ref().multiply(x.data(), x.data(), y.data(), n, t.tables.modulus);
      ref().ntt_inverse(x.data(), t.tables);
      ASSERT_EQ(x, expected) << "q = " << q << ", real = " << real;
    }
  }
}

TEST(Reference, ElementWise) {
  const std::size_t n = 512;
  Random random(3);
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    const auto a = random_residues(n, q, random), b = random_residues(n, q, random),
               c = random_residues(n, q, random);
    const Factor w = make_factor(random() % q, m);
    std::vector<u64> out(n), out1(n), out2(n);
    const auto check = [&](const std::vector<u64>& got, auto formula, const char* what) {
      for (std::size_t i = 0; i < n; ++i)
        ASSERT_EQ(got[i], formula(i)) << what << ", q = " << q << ", i = " << i;
    };
    ref().add(out.data(), a.data(), b.data(), n, m);
    check(
        out, [&](std::size_t i) { return (a[i] + b[i]) % q; }, "add");
    ref().subtract(out.data(), a.data(), b.data(), n, m);
    check(
        out, [&](std::size_t i) { return (a[i] + q - b[i]) % q; }, "subtract");
    ref().negate(out.data(), a.data(), n, m);
    check(
        out, [&](std::size_t i) { return (q - a[i]) % q; }, "negate");
    ref().multiply(out.data(), a.data(), b.data(), n, m);
    check(
        out, [&](std::size_t i) { return multiply_mod(a[i], b[i], q); }, "multiply");
    out = c;
    ref().multiply_add(out.data(), a.data(), b.data(), n, m);
    check(
        out, [&](std::size_t i) { return (multiply_mod(a[i], b[i], q) + c[i]) % q; }, "multiply_add");
    ref().multiply_scalar(out.data(), a.data(), w, n, m);
    check(
        out, [&](std::size_t i) { return multiply_mod(a[i], w.value, q); }, "multiply_scalar");
    out = c;
    ref().multiply_scalar_add(out.data(), a.data(), w, n, m);
    check(
        out, [&](std::size_t i) { return (multiply_mod(a[i], w.value, q) + c[i]) % q; },
        "multiply_scalar_add");
    ref().add_scalar(out.data(), a.data(), w.value, n, m);
    check(
        out, [&](std::size_t i) { return (a[i] + w.value) % q; }, "add_scalar");
    ref().subtract_multiply_scalar(out.data(), a.data(), b.data(), w, n, m);
    check(
        out, [&](std::size_t i) { return multiply_mod(a[i] + q - b[i], w.value, q); },
        "subtract_multiply_scalar");
    ref().square_terms(out.data(), out1.data(), out2.data(), a.data(), b.data(), n, m);
    check(
        out, [&](std::size_t i) { return multiply_mod(a[i], a[i], q); }, "square_terms s0");
    check(
        out1, [&](std::size_t i) { return multiply_mod(a[i], b[i], q) * 2 % q; }, "square_terms s1");
    check(
        out2, [&](std::size_t i) { return multiply_mod(b[i], b[i], q); }, "square_terms s2");
    // (a + b s)^2 + (c + a s)^2 - (b + c s)^2
    const u64* const c0[] = {a.data(), c.data(), b.data()};
    const u64* const c1[] = {b.data(), a.data(), c.data()};
    const std::uint32_t begin[] = {0, 3}, subtracted[] = {2}, index[] = {0, 1, 2};
    u64* const outs[] = {out.data(), out1.data(), out2.data()};
    ref().sum_squares(outs, c0, c1,
                      {.sums = 1, .inputs = 3, .begin = begin, .subtracted = subtracted, .index = index},
                      &w.value, n, m);
    const auto signed_sum = [&](const std::vector<u64>(&x)[3], const std::vector<u64>(&y)[3], std::size_t i) {
      return (multiply_mod(x[0][i], y[0][i], q) + multiply_mod(x[1][i], y[1][i], q) + q -
              multiply_mod(x[2][i], y[2][i], q)) %
             q;
    };
    const std::vector<u64> first[] = {a, c, b}, second[] = {b, a, c};
    check(
        out, [&](std::size_t i) { return (signed_sum(first, first, i) + w.value) % q; }, "sum_squares s0");
    check(
        out1, [&](std::size_t i) { return signed_sum(first, second, i) * 2 % q; }, "sum_squares s1");
    check(
        out2, [&](std::size_t i) { return signed_sum(second, second, i); }, "sum_squares s2");
  }
}

TEST(Reference, SignedIntegers) {
  Random random(4);
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    std::vector<std::int64_t> x{0,
                                1,
                                -1,
                                (std::int64_t{1} << 62) - 1,
                                -(std::int64_t{1} << 62) + 1,
                                static_cast<std::int64_t>(q),
                                -static_cast<std::int64_t>(q)};
    while (x.size() < 64) x.push_back(static_cast<std::int64_t>(random()) >> (2 + random() % 60));
    std::vector<u64> out(x.size());
    ref().from_int64(out.data(), x.data(), x.size(), m);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto sq = static_cast<std::int64_t>(q);
      ASSERT_EQ(out[i], static_cast<u64>((x[i] % sq + sq) % sq)) << "x = " << x[i] << ", q = " << q;
    }
  }
}

// Three source moduli of 30 bits: the integers fit 128 bits and the conversion must be exact away from +-M/2.
TEST(Reference, BaseConversionIsExactForCentredIntegers) {
  const u64 sources[] = {prime_below(1 << 30, 32), prime_below(1 << 29, 32), prime_below(1 << 28, 32)};
  Random random(5);
  for (std::size_t k = 1; k <= 3; ++k) {
    std::vector<Modulus> source_moduli, target_moduli;
    std::vector<Factor> punctured_inverse;
    __int128 product = 1;
    for (std::size_t i = 0; i < k; ++i) product *= sources[i];
    for (std::size_t i = 0; i < k; ++i) {
      source_moduli.push_back(make_modulus(sources[i]));
      const u64 rest = static_cast<u64>(product / sources[i] % sources[i]);
      punctured_inverse.push_back(make_factor(inverse_mod(rest, sources[i]), source_moduli[i]));
    }
    std::vector<u64> punctured, products;
    for (const u64 q : test_primes(32)) {
      target_moduli.push_back(make_modulus(q));
      for (std::size_t i = 0; i < k; ++i) punctured.push_back(static_cast<u64>(product / sources[i] % q));
      products.push_back(static_cast<u64>(product % q));
    }
    const std::size_t n = 64;
    std::vector<__int128> x(n);
    std::vector<std::vector<u64>> in(k, std::vector<u64>(n)), out(target_moduli.size(), std::vector<u64>(n));
    for (std::size_t c = 0; c < n; ++c) {
      const __int128 wide = (static_cast<__int128>(random() >> 1) << 64) + random();
      x[c] = c < 3 ? static_cast<__int128>(c) - 1 : wide % product - product / 2;
      for (std::size_t i = 0; i < k; ++i) {
        const __int128 s = sources[i];
        in[i][c] = static_cast<u64>((x[c] % s + s) % s);
      }
    }
    std::vector<const u64*> in_pointers;
    std::vector<u64*> out_pointers;
    for (auto& v : in) in_pointers.push_back(v.data());
    for (auto& v : out) out_pointers.push_back(v.data());
    const BaseConversion conversion{k,
                                    target_moduli.size(),
                                    source_moduli.data(),
                                    punctured_inverse.data(),
                                    target_moduli.data(),
                                    punctured.data(),
                                    products.data()};
    base_convert(ref(), out_pointers.data(), in_pointers.data(), n, conversion);
    for (std::size_t j = 0; j < target_moduli.size(); ++j) {
      const __int128 q = target_moduli[j].q;
      for (std::size_t c = 0; c < n; ++c) {
        ASSERT_EQ(out[j][c], static_cast<u64>((x[c] % q + q) % q)) << "sources " << k << ", column " << c;
      }
    }
  }
}

TEST(Reference, DigitProductIsTheMatrixProduct) {
  const std::size_t inputs = 7, pairs = 4, rows = 11, columns = 2 * kTile;
  Random random(6);
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    const int digits = digit_count(q);
    const std::size_t stride = pairs * static_cast<std::size_t>(digits) * 2 * kTile;
    std::vector<std::vector<u64>> x;
    for (std::size_t i = 0; i < inputs; ++i) x.push_back(random_residues(columns, q, random));
    std::vector<std::int16_t> panel(columns / kTile * stride, 0);
    for (std::size_t p = 0; p < pairs; ++p) {
      ref().split_pair(panel.data() + p * static_cast<std::size_t>(digits) * 2 * kTile, stride,
                       x[2 * p].data(), 2 * p + 1 < inputs ? x[2 * p + 1].data() : nullptr, columns, digits,
                       m);
    }
    std::vector<std::int16_t> weights(rows * pairs * 2);
    std::vector<std::vector<std::int64_t>> w(rows, std::vector<std::int64_t>(2 * pairs, 0));
    for (std::size_t b = 0; b < row_block_count(rows); ++b) {
      const auto [begin, end] = row_block(rows, b);
      for (std::size_t row = begin; row < end; ++row) {
        for (std::size_t i = 0; i < 2 * pairs; ++i) {
          const auto value = static_cast<std::int16_t>(static_cast<std::int64_t>(random() % 16001) - 8000);
          weights[(begin * pairs + i / 2 * (end - begin) + row - begin) * 2 + i % 2] = value;
          w[row][i] = value;
        }
      }
    }
    const std::uint32_t slots[] = {0, 1, 2, 3};
    const auto bias = random_residues(rows, q, random);
    std::vector<std::vector<u64>> out(rows, std::vector<u64>(columns));
    std::vector<u64*> out_pointers;
    for (auto& v : out) out_pointers.push_back(v.data());
    const DigitGroup group{rows, pairs, slots, weights.data(), 4, false};
    ref().digit_product(out_pointers.data(), panel.data(), stride, columns / kTile, digits, group,
                        bias.data(), m);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t c = 0; c < columns; ++c) {
        __int128 sum = bias[row];
        for (std::size_t i = 0; i < inputs; ++i)
          sum += static_cast<__int128>(w[row][i]) * static_cast<__int128>(x[i][c]);
        const __int128 signed_q = q;
        ASSERT_EQ(out[row][c], static_cast<u64>((sum % signed_q + signed_q) % signed_q)) << "q = " << q;
      }
    }
  }
}

TEST(Reference, BitsOfEveryWidthComeBack) {
  Random random(7);
  for (int bits = 1; bits <= 48; ++bits) {
    const std::size_t n = 64;
    std::vector<u64> x(n), back(n);
    for (u64& v : x) v = random() & ((u64{1} << bits) - 1);
    std::vector<std::uint8_t> packed(n * static_cast<std::size_t>(bits) / 8);
    ref().pack_bits(packed.data(), x.data(), n, bits);
    for (std::size_t i = 0; i < n; ++i) {
      for (int b = 0; b < bits; ++b) {
        const std::size_t at = i * static_cast<std::size_t>(bits) + static_cast<std::size_t>(b);
        ASSERT_EQ(packed[at / 8] >> (at % 8) & 1, x[i] >> b & 1)
            << bits << " bits, value " << i << ", bit " << b;
      }
    }
    ref().unpack_bits(back.data(), packed.data(), n, bits);
    ASSERT_EQ(back, x) << bits << " bits";
  }
}

}  // namespace
}  // namespace velum::kernels::testing
