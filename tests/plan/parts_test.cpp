#include "plan/schedule/parts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plan/schedule/memory.h"

namespace velum::plan {
namespace {

// A pool over 6 channels and 5 positions, channel fastest: each channel's windows overlap, channels share
// nothing.
Step pool_of_channels(std::uint32_t pairs_a_channel) {
  Step step;
  step.polys = 3;
  step.pairs.resize(6 * pairs_a_channel);
  for (std::uint32_t position = 0; position < 5; ++position)
    for (std::uint32_t channel = 0; channel < 6; ++channel) {
      Group g;
      for (std::uint32_t i = position; i < pairs_a_channel - 5 + position; ++i)
        g.pairs.push_back(channel * pairs_a_channel + i);
      step.groups.push_back(g);
    }
  return step;
}

TEST(IndependentParts, CoverTheTaskAndShareNoPair) {
  for (const std::uint32_t pairs : {8u, 100u, 500u}) {
    const auto step = pool_of_channels(pairs);
    const auto parts =
        independent_parts(step, {.step = 0, .group_begin = 0, .group_end = 30, .releases = {}}, 1 << 14);
    // 8 pairs a channel fit a slice of 128 columns all together, 100 two and two, 500 never.
    EXPECT_EQ(parts.size(), pairs == 8 ? 1u : pairs == 100 ? 3u : 6u);
    std::vector<int> part_of_pair(step.pairs.size(), -1), seen(step.groups.size(), 0);
    for (int k = 0; k < static_cast<int>(parts.size()); ++k) {
      EXPECT_TRUE(std::is_sorted(parts[k].begin(), parts[k].end()));
      for (const auto g : parts[k]) {
        ++seen[g];
        for (const auto p : step.groups[g].pairs) {
          EXPECT_TRUE(part_of_pair[p] == -1 || part_of_pair[p] == k);
          part_of_pair[p] = k;
        }
      }
    }
    EXPECT_EQ(seen, std::vector<int>(30, 1));
  }
}

// Chunks are whole runs, or lie within one.
TEST(Slicing, CutsAGroupOfManyInputsAtItsRuns) {
  Step step;
  step.polys = 3;
  step.groups.push_back(
      {.first_output = 0, .rows = 10, .pairs = {}, .weight_offset = 0, .run_pairs = 0, .row_l1 = 0});
  for (const std::uint32_t run : {1u, 7u, 100u, 284u, 285u, 400u, 3000u}) {
    step.groups[0].run_pairs = run;
    const std::size_t pairs = 2000;
    const auto s = slice_part(step, {0}, pairs, 1 << 14);
    EXPECT_EQ(s.columns, kWideSlice);
    EXPECT_TRUE(s.chunked());
    EXPECT_EQ(s.cuts.front(), 0u);
    EXPECT_EQ(s.cuts.back(), pairs);
    for (std::size_t c = 0; c + 1 < s.cuts.size(); ++c) {
      const std::size_t begin = s.cuts[c], end = s.cuts[c + 1];
      ASSERT_LT(begin, end);
      EXPECT_GE(panel_columns(end - begin, step.polys, 1 << 14), kWideSlice);
      const bool within = begin / run == (end - 1) / run;
      EXPECT_TRUE(within || begin % run == 0) << "run " << run << ", chunk " << begin << " to " << end;
    }
  }
  step.groups[0].rows = 2000;  // whose sums would not stay near
  EXPECT_FALSE(slice_part(step, {0}, 2000, 1 << 14).chunked());
  step.groups[0].rows = 10;
  EXPECT_FALSE(slice_part(step, {0}, 200, 1 << 14).chunked());
}

// No batch beyond the budget, unless a part of its own is.
TEST(FinishBatches, HoldNoMoreUnfinishedResultsThanTheirBudget) {
  auto step = pool_of_channels(500);
  step.limbs = 8;
  for (auto& g : step.groups) g.rows = 1;
  const Task task{.step = 0, .group_begin = 0, .group_end = 30, .releases = {}};
  step.finish = Finish::none;
  EXPECT_EQ(finish_batches(step, task, 1 << 16).size(), 1u);
  step.finish = Finish::relinearise;
  for (const std::size_t n : {std::size_t{1} << 13, std::size_t{1} << 16}) {
    std::size_t parts = 0;
    for (const auto& batch : finish_batches(step, task, n)) {
      parts += batch.size();
      EXPECT_TRUE(batch.size() == 1 || unfinished_bytes(step, batch, n) <= kUnfinishedBudget);
    }
    EXPECT_EQ(parts, 6u);
  }
  // 12.6 MB an output, 5 outputs a channel: 4 channels a batch.
  EXPECT_EQ(finish_batches(step, task, 1 << 16).size(), 2u);
}

TEST(IndependentParts, GroupsThatHangTogetherStayTogether) {
  auto step = pool_of_channels(500);
  for (std::uint32_t channel = 0; channel < 6; ++channel) step.groups[7].pairs.push_back(channel * 500 + 4);
  const auto parts =
      independent_parts(step, {.step = 0, .group_begin = 0, .group_end = 30, .releases = {}}, 1 << 14);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].size(), 30u);
}

}  // namespace
}  // namespace velum::plan
