#include "engine/prepared_step.h"

#include <gtest/gtest.h>

#include <cmath>

namespace velum::engine {
namespace {

TEST(RoundToResidue, AgreesWithBigIntegersOnPowersAndHalves) {
  const auto m = kernels::make_modulus(1099511480321ULL);  // any odd modulus will do here
  for (int e = 0; e < 200; ++e) {
    u64 power = 1;
    for (int i = 0; i < e; ++i) power = power * 2 % m.q;
    EXPECT_EQ(round_to_residue(std::ldexp(1.0, e), m), power) << e;
    EXPECT_EQ(round_to_residue(-std::ldexp(1.0, e), m), (m.q - power) % m.q) << e;
  }
  EXPECT_EQ(round_to_residue(2.4, m), 2u);
  EXPECT_EQ(round_to_residue(-2.6, m), m.q - 3);
  EXPECT_EQ(round_to_residue(0.2, m), 0u);
  EXPECT_EQ(round_to_residue(-0.2, m), 0u);
}

TEST(GroupInputs, KeepOnlyThePairsOfTheirGroups) {
  plan::Step step;
  step.pairs = {{0, 1}, {2, 3}, {4, 5}, {6, plan::kAbsent}};
  step.groups.resize(3);
  step.groups[0].pairs = {0, 1};
  step.groups[1].pairs = {3, 1};
  step.groups[2].pairs = {2};
  const auto t = gather_inputs(step, std::vector<std::uint32_t>{1});
  EXPECT_EQ(t.pairs, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(t.slots, (std::vector<std::uint32_t>{1, 0}));
  const auto all = gather_inputs(step, std::vector<std::uint32_t>{0, 1, 2});
  EXPECT_EQ(all.pairs, (std::vector<std::uint32_t>{0, 1, 2, 3}));
  EXPECT_EQ(all.slots, (std::vector<std::uint32_t>{0, 1, 3, 1, 2}));
  EXPECT_EQ(all.slot_begin, (std::vector<std::size_t>{0, 2, 4}));
}

}  // namespace
}  // namespace velum::engine
