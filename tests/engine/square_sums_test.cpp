// Sums of squares against the digit product, which knows nothing of them.
#include "engine/square_sums.h"

#include <gtest/gtest.h>

#include "step_run.h"

namespace velum::engine {
namespace {

// Three channels of eleven inputs; windows of up to six, some of whose squares are subtracted; biases.
plan::ServerPlan windows() {
  auto plan = testing::plan_of_one_step(128, 33, 12, plan::SourceKind::square);
  auto& step = plan.steps[0];
  std::mt19937 random(3);
  // A channel's pairs are its own: the second member of its last is absent.
  step.pairs.clear();
  for (std::uint32_t channel = 0; channel < 3; ++channel)
    for (std::uint32_t k = 0; k < 11; k += 2)
      step.pairs.push_back({channel * 11 + k, k + 1 < 11 ? channel * 11 + k + 1 : plan::kAbsent});
  for (std::uint32_t position = 0; position < 4; ++position)
    for (std::uint32_t channel = 0; channel < 3; ++channel) {
      plan::Group g{.first_output = static_cast<std::uint32_t>(step.groups.size()),
                    .rows = 1,
                    .pairs = {},
                    .weight_offset = step.weights.size(),
                    .run_pairs = 100,
                    .row_l1 = 6};
      for (std::uint32_t p = position; p < std::min(position + 3, 6u); ++p) {
        g.pairs.push_back(channel * 6 + p);
        step.weights.push_back(channel == 0 ? 1 : random() % 2 ? 1 : -1);
        step.weights.push_back(p == 5 ? 0 : static_cast<std::int16_t>(static_cast<int>(random() % 3) - 1));
      }
      step.groups.push_back(g);
      step.bias.push_back(0.5 * static_cast<double>(step.groups.size()) - 3);
    }
  return plan;
}

TEST(SquareSums, EqualTheDigitProductForEveryThreadCountAndVariant) {
  const auto plan = windows();
  ASSERT_TRUE(plan::adds_squares(plan.steps[0]));
  const auto expected = testing::run_step(plan, false, 1);
  const auto& chosen = kernels::table();
  for (const auto* t : kernels::available_tables()) {
    kernels::use_table(*t);
    for (const int threads : {1, 2, 3})
      EXPECT_EQ(testing::run_step(plan, true, threads), expected) << t->name << ", " << threads << " threads";
  }
  kernels::use_table(chosen);
}

TEST(SquareSums, AreNotForOtherSteps) {
  auto plan = windows();
  auto& step = plan.steps[0];
  step.weights[0] = 2;
  EXPECT_FALSE(plan::adds_squares(step));
  step.weights[0] = 0;
  EXPECT_TRUE(plan::adds_squares(step));
  for (std::size_t k = 0; k < 2 * step.groups[0].pairs.size(); ++k) step.weights[k] = 0;
  EXPECT_FALSE(plan::adds_squares(step));
  step = windows().steps[0];
  step.sources[0].kind = plan::SourceKind::plain;
  EXPECT_FALSE(plan::adds_squares(step));
}

// A dense layer of more inputs than a wide slice has room for is cut by them; the same layer as two groups,
// which is not cut, gives the same bits.
TEST(Affine, CutByItsInputsGivesTheSame) {
  for (const std::uint32_t run_pairs : {40u, 300u, 5000u}) {
    const std::uint32_t inputs = 3001, rows = 11;
    auto whole = testing::plan_of_one_step(64, inputs, rows, plan::SourceKind::square);
    auto& step = whole.steps[0];
    std::mt19937 random(run_pairs);
    const auto pairs = static_cast<std::uint32_t>(step.pairs.size());
    std::vector<std::vector<std::int16_t>> weight(rows, std::vector<std::int16_t>(2 * pairs));
    const int most = run_pairs > 1000 ? 20 : 100;  // a run's sum stays below 2^16
    for (auto& row : weight)
      for (auto& w : row) w = static_cast<std::int16_t>(static_cast<int>(random() % (2 * most + 1)) - most);
    const auto add_group = [&](plan::Step& to, std::uint32_t first, std::uint32_t count) {
      plan::Group g{.first_output = first,
                    .rows = count,
                    .pairs = {},
                    .weight_offset = to.weights.size(),
                    .run_pairs = run_pairs,
                    .row_l1 = 2u * pairs * 100};
      for (std::uint32_t p = 0; p < pairs; ++p) g.pairs.push_back(p);
      for (std::size_t b = 0; b < kernels::row_block_count(count); ++b) {
        const auto block = kernels::row_block(count, b);
        for (std::uint32_t p = 0; p < pairs; ++p)
          for (std::size_t r = block.begin; r < block.end; ++r)
            to.weights.insert(to.weights.end(), &weight[first + r][2 * p], &weight[first + r][2 * p] + 2);
      }
      to.groups.push_back(g);
    };
    for (std::uint32_t o = 0; o < rows; ++o) step.bias.push_back(o - 4.25);
    auto halves = whole;
    add_group(step, 0, rows);
    add_group(halves.steps[0], 0, 5);
    add_group(halves.steps[0], 5, rows - 5);
    const auto slicing = plan::slice_part(step, {0}, pairs, 64);
    ASSERT_TRUE(slicing.chunked());
    ASSERT_FALSE(plan::slice_part(halves.steps[0], {0, 1}, pairs, 64).chunked());
    const auto expected = testing::run_step(halves, false, 1);
    for (const int threads : {1, 2})
      EXPECT_EQ(testing::run_step(whole, false, threads), expected) << run_pairs;
  }
}

}  // namespace
}  // namespace velum::engine
