// What the server runs contains nothing that knows a secret key, and no reader of models.
#include <gtest/gtest.h>

#include <array>

#include "cli/command.h"

namespace velum::test {
namespace {

constexpr std::array kModelsAndChoices = {
    "onnx",           "google::protobuf",   "plan::make_plan",   "plan::choose_primes",
    "model::execute", "model::infer_shape", "model::class_names"};

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

// It runs a plan: it reads no network, computes none in the clear, and chooses nothing.
TEST(ServerProgram, HoldsNoModelReaderAndNoPlanner) {
  const auto symbols = shell("nm -C '" VELUM_INFER_PROGRAM "'", "/tmp");
  if (symbols.code != 0) GTEST_SKIP() << "nm: " << symbols.err;
  ASSERT_NE(symbols.out.find("velum::plan::verify_plan"), std::string::npos);
  for (const auto* forbidden : kModelsAndChoices)
    EXPECT_EQ(symbols.out.find(forbidden), std::string::npos) << forbidden;
}

// Nor a library that would: what it links, and what these libraries link in turn.
TEST(ServerProgram, LinksNoModelReader) {
  const auto needed = shell("ldd '" VELUM_INFER_PROGRAM "'", "/tmp");
  if (needed.code != 0) GTEST_SKIP() << "ldd: " << needed.err;
  ASSERT_NE(needed.out.find("libsodium"), std::string::npos) << needed.out;
  EXPECT_EQ(needed.out.find("onnx"), std::string::npos) << needed.out;
  EXPECT_EQ(needed.out.find("protobuf"), std::string::npos) << needed.out;
}

// The same test sees them where they are.
TEST(ServerProgram, TheCommandDoesHoldThem) {
  const auto symbols = shell("nm -C '" VELUM_PROGRAM "'", "/tmp");
  if (symbols.code != 0) GTEST_SKIP() << "nm: " << symbols.err;
  EXPECT_NE(symbols.out.find("ckks::SecretKey"), std::string::npos);
  for (const auto* there : kModelsAndChoices) EXPECT_NE(symbols.out.find(there), std::string::npos) << there;
}

}  // namespace
}  // namespace velum::test
