// The digit kernels of every variant against the reference, over odd shapes and extreme weights within the
// contract.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support.h"

namespace velum::kernels::testing {
namespace {

const Table& ref() {
  return table_named("ref");
}

std::string variant_name(const ::testing::TestParamInfo<const Table*>& info) {
  return info.param->name;
}

class Digits : public ::testing::TestWithParam<const Table*> {
 protected:
  const Table& variant() const { return *GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Kernels, Digits,
                         ::testing::ValuesIn(available_tables().begin(), available_tables().end()),
                         variant_name);

TEST_P(Digits, SplitPair) {
  Random random(21);
  const std::size_t columns = 5 * kTile;
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    const int digits = digit_count(q);
    auto a = random_residues(columns, q, random);
    const auto b = random_residues(columns, q, random);
    // Around the places where a digit carries into the next.
    for (std::size_t i = 0; i < 16; ++i) a[i] = ((u64{0x8000} << (16 * (i % 2))) + i - 4) % q;
    for (const std::size_t gap : {0, 32}) {
      const std::size_t stride = static_cast<std::size_t>(digits) * 2 * kTile + gap;
      for (const u64* second : {b.data(), static_cast<const u64*>(nullptr)}) {
        Guarded<std::int16_t> expected(5 * stride), actual(5 * stride);
        std::fill_n(expected.data(), 5 * stride, std::int16_t{77});
        std::fill_n(actual.data(), 5 * stride, std::int16_t{77});
        ref().split_pair(expected.data(), stride, a.data(), second, columns, digits, m);
        variant().split_pair(actual.data(), stride, a.data(), second, columns, digits, m);
        EXPECT_TRUE(actual.intact());
        EXPECT_EQ(actual.values(), expected.values()) << "q = " << q << ", gap " << gap;
      }
    }
  }
}

// The largest centred residue and its negative, of the largest odd number below each bound: their digits, put
// together, are what they were.
TEST(DigitBounds, HoldTheLargestCentredResidue) {
  for (const u64 q : {kTwoDigitModulus - 1, kModulusBelow - 1}) {
    const int digits = digit_count(q);
    std::vector<u64> x(kTile, q / 2);  // (q - 1) / 2
    x[1] = q / 2 + 1;                  // and its negative
    std::vector<std::int16_t> panel(static_cast<std::size_t>(digits) * 2 * kTile);
    ref().split_pair(panel.data(), panel.size(), x.data(), nullptr, kTile, digits, make_modulus(q));
    for (std::size_t column = 0; column < 2; ++column) {
      std::int64_t sum = 0;
      for (std::size_t d = static_cast<std::size_t>(digits); d-- > 0;)
        sum = sum * 65536 + panel[d * 2 * kTile + 2 * column];
      EXPECT_EQ(sum, (column ? -1 : 1) * static_cast<std::int64_t>(q / 2)) << q;
    }
  }
}

// As an integer and in bits the bound of two digits parts the same moduli.
TEST(DigitBounds, InBitsAreThoseOfModuli) {
  EXPECT_EQ(static_cast<u64>(std::exp2(kTwoDigitBits)), kTwoDigitModulus);
  EXPECT_EQ(kTwoDigitModulus % 2, 0u);
  for (const u64 q : {kTwoDigitModulus - 1, kTwoDigitModulus + 1, kModulusAbove + 1, kModulusBelow - 1})
    EXPECT_EQ(digit_count(q), digit_count_of_bits(std::log2(static_cast<double>(q)))) << q;
}

enum class Weights { random, extreme_same_sign, extreme_mixed };

// A group over its own panel, weights within the contract: sum |w| <= 65535 in every run and row.
struct Case {
  std::size_t rows, pairs, run_pairs, tiles;
  Weights kind;
  bool reduce_each_run, with_bias;
};

std::string describe_case(const Case& c, u64 q) {
  return fmt::format("rows {}, pairs {}, run {}, tiles {}, weights {}, reduce {}, bias {}, q {}", c.rows,
                     c.pairs, c.run_pairs, c.tiles, static_cast<int>(c.kind), c.reduce_each_run, c.with_bias,
                     q);
}

// The weights of one row in one run of `count` places, absolute sum at most (for extremes: exactly) 65535.
std::vector<std::int16_t> run_weights(std::size_t count, Weights kind, Random& random) {
  std::vector<std::int16_t> w(count, 0);
  std::int64_t left = 65535;
  if (kind == Weights::random) {
    const auto limit = std::min<std::int64_t>(32767, left / static_cast<std::int64_t>(count));
    for (auto& v : w)
      v = static_cast<std::int16_t>(static_cast<std::int64_t>(random() % (2 * limit + 1)) - limit);
    return w;
  }
  const bool minus = random() % 2;
  for (std::size_t i = 0; i < count && left > 0; ++i) {
    const bool negative = kind == Weights::extreme_mixed ? random() % 2 : minus;
    const std::int64_t size = std::min<std::int64_t>(left, negative ? 32768 : 32767);
    w[i] = static_cast<std::int16_t>(negative ? -size : size);
    left -= size;
  }
  std::shuffle(w.begin(), w.end(), random);
  return w;
}

void check_product(const Table& variant, const Case& c, u64 q, Random& random) {
  const Modulus m = make_modulus(q);
  const int digits = digit_count(q);
  const std::size_t slots = c.pairs + 3, columns = c.tiles * kTile;
  const std::size_t slot_size = static_cast<std::size_t>(digits) * 2 * kTile, stride = slots * slot_size + 32;
  std::vector<std::int16_t> panel(c.tiles * stride, 0);
  std::vector<std::uint32_t> order(slots);
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), random);
  for (std::size_t p = 0; p < c.pairs; ++p) {
    // Centred extremes (q-1)/2 and -(q-1)/2 make the largest sums; the last pair has one member only.
    const u64 extreme = random() % 2 ? q / 2 : q / 2 + 1;
    const auto input = [&] {
      return c.kind == Weights::random ? random_residues(columns, q, random)
                                       : std::vector<u64>(columns, extreme);
    };
    const auto a = input(), b = input();
    ref().split_pair(panel.data() + order[p] * slot_size, stride, a.data(),
                     p + 1 < c.pairs ? b.data() : nullptr, columns, digits, m);
  }
  if (c.kind != Weights::random) {  // and digits of -32768, the largest there are
    for (std::size_t p = 0; p < c.pairs; p += 3) {
      const std::vector<u64> a(columns, q - 0x8000), b(columns, (q - 0x80008000u % q) % q);
      ref().split_pair(panel.data() + order[p] * slot_size, stride, a.data(), b.data(), columns, digits, m);
    }
  }
  std::vector<std::int16_t> weights(c.rows * c.pairs * 2);
  for (std::size_t b = 0; b < row_block_count(c.rows); ++b) {
    const auto [begin, end] = row_block(c.rows, b);
    for (std::size_t row = begin; row < end; ++row) {
      for (std::size_t p = 0; p < c.pairs; p += c.run_pairs) {
        const std::size_t count = std::min(c.run_pairs, c.pairs - p);
        const auto w = run_weights(2 * count, c.kind, random);
        for (std::size_t i = 0; i < 2 * count; ++i) {
          weights[((begin * c.pairs) + (p + i / 2) * (end - begin) + row - begin) * 2 + i % 2] = w[i];
        }
      }
    }
  }
  const auto bias = random_residues(c.rows, q, random);
  const DigitGroup group{c.rows, c.pairs, order.data(), weights.data(), c.run_pairs, c.reduce_each_run};
  std::vector<std::vector<u64>> expected(c.rows, std::vector<u64>(columns));
  std::vector<Guarded<u64>> out;
  std::vector<u64*> expected_pointers, out_pointers;
  for (std::size_t row = 0; row < c.rows; ++row) out.emplace_back(columns, row % 3);
  for (std::size_t row = 0; row < c.rows; ++row) {
    expected_pointers.push_back(expected[row].data());
    out_pointers.push_back(out[row].data());
  }
  const u64* b = c.with_bias ? bias.data() : nullptr;
  ref().digit_product(expected_pointers.data(), panel.data(), stride, c.tiles, digits, group, b, m);
  variant.digit_product(out_pointers.data(), panel.data(), stride, c.tiles, digits, group, b, m);
  for (std::size_t row = 0; row < c.rows; ++row) {
    ASSERT_TRUE(out[row].intact()) << describe_case(c, q);
    const auto values = out[row].values();
    ASSERT_TRUE(values == expected[row])
        << describe_case(c, q) << ", row " << row << ": " << describe(expected[row], values);
  }
}

TEST_P(Digits, ProductOfEveryRowCountAndShape) {
  Random random(22);
  const auto primes = test_primes(32);
  for (std::size_t rows = 1; rows <= 20; ++rows) {
    for (const std::size_t pairs : {1, 2, 13, 64}) {
      for (const std::size_t tiles : {1, 2, 3}) {
        for (std::size_t k = 0; k < 3; ++k) {
          const Case c{rows, pairs, pairs, tiles, static_cast<Weights>(k), false, (rows + k) % 2 == 0};
          check_product(variant(), c, primes[(rows + pairs + tiles + k) % primes.size()], random);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Digits, ProductInSeveralRuns) {
  Random random(23);
  for (const u64 q : test_primes(32)) {
    for (const std::size_t rows : {1, 3, 5, 8, 13}) {
      for (const std::size_t run : {1, 3, 16}) {
        for (const Weights kind : {Weights::random, Weights::extreme_same_sign, Weights::extreme_mixed}) {
          // sum |w| q < 2^64 is the caller's to know: with full runs of 65535 the largest primes allow one
          // run.
          const std::size_t pairs = 50;
          const bool must_reduce =
              static_cast<double>(q) * 65535.0 * static_cast<double>((pairs + run - 1) / run) > 0x1p64;
          for (const bool reduce : {must_reduce, true}) {
            check_product(variant(), {rows, pairs, run, 2, kind, reduce, rows % 2 == 1}, q, random);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST_P(Digits, LargeProducts) {
  Random random(24);
  const auto primes = test_primes(32);
  check_product(variant(), {100, 423, 423, 2, Weights::random, false, true}, primes[0], random);
  check_product(variant(), {33, 700, 31, 1, Weights::extreme_mixed, true, true}, primes[0], random);
  check_product(variant(), {600, 5, 5, 3, Weights::random, false, true}, primes[1], random);
  check_product(variant(), {1100, 3, 3, 1, Weights::extreme_same_sign, false, true}, primes[2], random);
  check_product(variant(), {17, 700, 700, 1, Weights::random, false, false}, primes[2], random);
}

}  // namespace
}  // namespace velum::kernels::testing
