#include <gtest/gtest.h>
#include "data/dataset.h"
TEST(Digits, Some) {
  velum::data::LoadOptions o; o.limit = 5;
  EXPECT_EQ(velum::data::load("digits", o).count(), 5u);
}
