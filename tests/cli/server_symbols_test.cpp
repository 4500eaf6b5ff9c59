// What the server runs contains nothing that knows a secret key, and no reader of models.
#include <gtest/gtest.h>

#include "cli/command.h"

namespace velum::test {
namespace {

TEST(ServerProgram, HoldsNoSecretKeyCode) {
  const auto symbols = shell("nm -C '" VELUM_INFER_PROGRAM "'", "/tmp");
  if (symbols.code != 0) GTEST_SKIP() << "nm: " << symbols.err;
  // The program is one that has symbols at all, and the engine in it.
  ASSERT_NE(symbols.out.find("velum::engine::Engine::run"), std::string::npos);
  for (const auto* forbidden :
       {"ckks::SecretKey", "ckks::Decryptor", "ckks::Encryptor", "ckks::generate_keys",
        "ckks::generate_public_key", "ckks::encrypt_public", "velum::Client::", "model::load_onnx"})
    EXPECT_EQ(symbols.out.find(forbidden), std::string::npos) << forbidden;
}

TEST(ServerProgram, LinksNoModelReader) {
  const auto needed = shell("objdump -p '" VELUM_INFER_PROGRAM "' | grep NEEDED", "/tmp");
  if (needed.code != 0) GTEST_SKIP() << "objdump: " << needed.err;
  EXPECT_EQ(needed.out.find("onnx"), std::string::npos) << needed.out;
  EXPECT_EQ(needed.out.find("protobuf"), std::string::npos) << needed.out;
}

// The same test sees them where they are.
TEST(ServerProgram, TheCommandDoesHoldThem) {
  const auto symbols = shell("nm -C '" VELUM_PROGRAM "'", "/tmp");
  if (symbols.code != 0) GTEST_SKIP() << "nm: " << symbols.err;
  EXPECT_NE(symbols.out.find("ckks::SecretKey"), std::string::npos);
}

}  // namespace
}  // namespace velum::test
