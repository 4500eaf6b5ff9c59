#include "base/error.h"

#include <gtest/gtest.h>

namespace velum {
namespace {

TEST(Error, KnowsItsExitCodeAndContext) {
  const Error user(ErrorKind::user, "layer 3 is too deep");
  EXPECT_EQ(user.exit_code(), 2);
  EXPECT_EQ(Error(ErrorKind::failure, "").exit_code(), 1);
  const auto within = user.within("model.onnx");
  EXPECT_STREQ(within.what(), "model.onnx: layer 3 is too deep");
  EXPECT_EQ(within.exit_code(), 2);
}

}  // namespace
}  // namespace velum
