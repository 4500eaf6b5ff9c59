#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace velum {
namespace {

TEST(Nearest, DistanceCountsInsertedRemovedAndChangedLetters) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("epochs", "epochs"), 0u);
  EXPECT_EQ(edit_distance("epohs", "epochs"), 1u);
}

TEST(Nearest, FindsTheNameThatWasMeant) {
  const std::vector<std::string> known{"epochs", "batch", "margin"};
  EXPECT_EQ(nearest_name("epoch", known), "epochs");
  EXPECT_EQ(nearest_name("mragin", known), "margin");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace velum
