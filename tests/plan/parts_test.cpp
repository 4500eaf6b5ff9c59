#include "plan/parts.h"

#include <gtest/gtest.h>

#include <algorithm>

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
