// Products and sums with plaintexts that are constant on runs of columns: every variant against plain
// arithmetic.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support.h"
#if VELUM_VERIFY
#include "base/error.h"
#endif

namespace velum::kernels::testing {
namespace {

class Runs : public ::testing::TestWithParam<const Table*> {
 protected:
  const Table& variant() const { return *GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Kernels, Runs,
                         ::testing::ValuesIn(available_tables().begin(), available_tables().end()),
                         [](const auto& i) { return std::string(i.param->name); });

struct Shape {
  std::size_t rows, inputs, columns;
};

// Random residues, or all of them `all` where that is not 0; weights row by row.
void check_product(const Table& t, const Shape& s, u64 q, u64 all, bool accumulate, Random& random) {
  const std::size_t first = 8, n = first + s.columns + 8;
  const Modulus m = make_modulus(q);
  const auto residues = [&](std::size_t count) {
    return all ? std::vector<u64>(count, all) : random_residues(count, q, random);
  };
  const auto weights = residues(s.rows * s.inputs);
  std::vector<std::vector<u64>> x(s.inputs), before(s.rows);
  std::vector<Guarded<u64>> out;
  std::vector<const u64*> x_rows;
  std::vector<u64*> out_rows;
  std::vector<u64> placed(weights.size());
  for (auto& v : x) x_rows.push_back((v = residues(n)).data());
  for (std::size_t r = 0; r < s.rows; ++r) {
    before[r] = residues(n);
    out.emplace_back(n, r % 4);
    for (std::size_t k = 0; k < s.inputs; ++k)
      placed[run_weight(s.rows, s.inputs, r, k)] = weights[r * s.inputs + k];
  }
  for (std::size_t r = 0; r < s.rows; ++r) {
    out[r].assign(before[r]);
    out_rows.push_back(out[r].data());
  }
  t.run_product(out_rows.data(), x_rows.data(), {s.rows, s.inputs, placed.data()}, first, s.columns,
                accumulate, m);
  for (std::size_t r = 0; r < s.rows; ++r) {
    auto expected = before[r];
    for (std::size_t i = first; i < first + s.columns; ++i) {
      u64 sum = accumulate ? before[r][i] : 0;
      for (std::size_t k = 0; k < s.inputs; ++k)
        sum = (sum + multiply_mod(weights[r * s.inputs + k], x[k][i], q)) % q;
      expected[i] = sum;
    }
    ASSERT_TRUE(out[r].intact()) << "row " << r << ": written outside the array";
    const auto values = out[r].values();
    ASSERT_TRUE(values == expected) << fmt::format("{} x {} x {}, q = {}, row {}: ", s.rows, s.inputs,
                                                   s.columns, q, r)
                                    << describe(expected, values);
  }
}

TEST_P(Runs, ProductsOfEveryShape) {
  Random random(21);
  for (const u64 q : test_primes(32)) {
    if (q <= (u64{1} << 20)) continue;
    for (std::size_t rows = 1; rows <= 9; ++rows)
      for (const bool accumulate : {false, true})
        check_product(variant(), {rows, 5, 16}, q, 0, accumulate, random);
    for (const Shape& s : {Shape{3, 0, 8}, Shape{1, 1, 8}, Shape{17, 127, 8}, Shape{4, 128, 72},
                           Shape{13, 129, 64}, Shape{2, 300, 136}, Shape{8, 64, 24}})
      for (const bool accumulate : {false, true}) check_product(variant(), s, q, 0, accumulate, random);
  }
}

// The bound of every sum: more terms than one reduction takes, of the largest residues, of the largest in
// size when centred, and of those whose balanced halves are largest.
TEST_P(Runs, LargestProducts) {
  Random random(22);
  for (const u64 q : test_primes(32)) {
    if (q <= (u64{1} << 20)) continue;
    const int half = (64 - __builtin_clzll(q) + 1) / 2;
    const u64 upper = (q / 2) >> half << half, lower = u64{1} << (half - 1);
    for (const u64 all : {q - 1, q / 2, q / 2 + 1, upper - lower, upper - lower + 1, q - upper + lower,
                          upper > 2 * lower ? upper - 2 * lower + lower - 1 : u64{1}})
      for (const std::size_t inputs : {1, 64, 65, 128, 129, 300})
        check_product(variant(), {5, inputs, 16}, q, all, true, random);
  }
}

TEST_P(Runs, WeightsHaveTheirOwnPlaces) {
  for (const std::size_t rows : {1, 7, 8, 9, 16, 17, 31, 100})
    for (const std::size_t inputs : {1, 3}) {
      std::vector<int> used(rows * inputs);
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t k = 0; k < inputs; ++k) ++used.at(run_weight(rows, inputs, r, k));
      EXPECT_EQ(used, std::vector<int>(rows * inputs, 1)) << rows << " " << inputs;
    }
}

TEST_P(Runs, Sums) {
  Random random(23);
  for (const u64 q : test_primes(32)) {
    if (q <= (u64{1} << 20)) continue;
    for (const std::size_t runs : {1, 2, 8, 16}) {
      const std::size_t n = 256, columns = n / runs;
      const Modulus m = make_modulus(q);
      const auto a = random_residues(n, q, random), w = random_residues(runs, q, random);
      auto expected = a;
      for (std::size_t i = 0; i < n; ++i) expected[i] = (a[i] + w[i / columns]) % q;
      Guarded<u64> out(n, 1);
      variant().add_runs(out.data(), a.data(), w.data(), runs, n, m);
      EXPECT_TRUE(out.intact());
      EXPECT_EQ(out.values(), expected);
      out.assign(a);
      variant().add_runs(out.data(), out.data(), w.data(), runs, n, m);  // in place
      EXPECT_TRUE(out.intact());
      EXPECT_EQ(out.values(), expected);
    }
  }
}

#if VELUM_VERIFY
TEST_P(Runs, BrokenContractsAreCaught) {
  const Modulus m = make_modulus(prime_below(u64{1} << 40, 32));
  std::vector<u64> x(16), out(16), w(1);
  std::vector<std::uint32_t> source(16);
  for (std::uint32_t i = 0; i < 16; ++i) source[i] = i;
  const u64* in = x.data();
  u64* to = out.data();
  const RunWeights weights{1, 1, w.data()};
  variant().run_product(&to, &in, weights, 0, 16, false, m);
  EXPECT_THROW(variant().run_product(&to, &in, weights, 0, 12, false, m), Error);
  u64* same = x.data();
  EXPECT_THROW(variant().run_product(&same, &in, weights, 0, 16, false, m), Error);
  w[0] = m.q;
  EXPECT_THROW(variant().run_product(&to, &in, weights, 0, 16, false, m), Error);
  EXPECT_THROW(variant().add_runs(to, in, w.data(), 1, 16, m), Error);
  w[0] = 0;
  out[3] = m.q;
  EXPECT_THROW(variant().run_product(&to, &in, weights, 0, 16, true, m), Error);
  variant().permute(to, in, source.data(), 16);
  std::swap(source[0], source[8]);
  EXPECT_THROW(variant().permute(to, in, source.data(), 16), Error);
}
#endif

}  // namespace
}  // namespace velum::kernels::testing
