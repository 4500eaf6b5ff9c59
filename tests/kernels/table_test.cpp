// Choosing a variant, constants of moduli, and the checking layer where it is built in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support.h"

namespace velum::kernels::testing {
namespace {

TEST(TableChoice, ReferenceIsFirstAndEveryVariantHasItsName) {
  ASSERT_FALSE(available_tables().empty());
  EXPECT_STREQ(available_tables()[0]->name, "ref");
  for (const Table* t : available_tables()) EXPECT_EQ(&table_named(t->name), t);
}

TEST(TableChoice, UnknownNameIsAUserErrorThatListsTheVariants) {
  try {
    table_named("mmx");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    EXPECT_THAT(e.what(), ::testing::AllOf(::testing::HasSubstr("mmx"), ::testing::HasSubstr("ref")));
  }
}

TEST(TableChoice, CanBeReplaced) {
  const Table& before = table();
  use_table(table_named("ref"));
  EXPECT_STREQ(table().name, "ref");
  use_table(before);
  EXPECT_EQ(&table(), &before);
}

TEST(TableChoice, EveryEntryIsFilled) {
  for (const Table* t : available_tables()) {
    const auto* words = reinterpret_cast<void* const*>(t);
    for (std::size_t i = 0; i < sizeof(Table) / sizeof(void*); ++i)
      EXPECT_NE(words[i], nullptr) << t->name << " " << i;
  }
}

TEST(Constants, ModulusAndFactorAreRoundedDown) {
  for (const u64 q : test_primes(32)) {
    const Modulus m = make_modulus(q);
    const u128 barrett = (static_cast<u128>(m.barrett_high) << 64) | m.barrett_low;
    // floor(2^128 / q): q barrett <= 2^128 - 1 < q (barrett + 1)
    const u128 rest = ~u128{0} - barrett * q;
    EXPECT_LT(rest, q);
    for (const u64 w : {u64{0}, u64{1}, q / 2, q - 1}) {
      const Factor f = make_factor(w, m);
      EXPECT_EQ(f.value, w);
      EXPECT_EQ(f.quotient64, static_cast<u64>((static_cast<u128>(w) << 64) / q));
      EXPECT_EQ(f.quotient52, static_cast<u64>((static_cast<u128>(w) << 52) / q));
    }
  }
}

#if VELUM_VERIFY
TEST(Verify, BrokenContractsAreCaught) {
  const Modulus m = make_modulus(prime_below(u64{1} << 40, 32));
  std::vector<u64> a(16, 0), b(16, 0), out(16);
  for (const Table* t : available_tables()) {
    t->add(out.data(), a.data(), b.data(), 16, m);
    b[5] = m.q;
    EXPECT_THROW(t->add(out.data(), a.data(), b.data(), 16, m), Error);
    b[5] = 0;
    EXPECT_THROW(t->add(out.data(), a.data(), b.data(), 8, m), Error);
    const std::int16_t weights[] = {-32768, -32768};
    const std::int16_t panel[3 * 2 * kTile] = {};
    const std::uint32_t slots[] = {0};
    u64* outputs[] = {out.data()};
    EXPECT_THROW(
        t->digit_product(outputs, panel, 3 * 2 * kTile, 1, 3, {1, 1, slots, weights, 1, false}, nullptr, m),
        Error);
  }
}
#endif

}  // namespace
}  // namespace velum::kernels::testing
