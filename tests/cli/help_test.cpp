#include <gtest/gtest.h>

#include "cli/command.h"

namespace velum::test {
namespace {

TEST(Help, ListsEveryCommand) {
  const auto help = shell("velum --help", "/tmp");
  EXPECT_EQ(help.code, 0);
  for (const auto* name :
       {"train", "eval", "plan", "keygen", "encrypt", "infer", "decrypt", "run", "inspect", "bench"})
    EXPECT_NE(help.out.find(std::string("\n  ") + name), std::string::npos) << name;
  EXPECT_EQ(shell("velum", "/tmp").out, help.out);
  EXPECT_EQ(shell("velum --version", "/tmp").code, 0);
}

TEST(Help, EveryCommandExplainsItsOptions) {
  for (const auto* name :
       {"eval", "plan", "keygen", "encrypt", "infer", "decrypt", "run", "inspect", "bench kernels",
        "bench network", "bench compare", "bench calibrate", "bench make-model"}) {
    const auto help = shell(std::string("velum ") + name + " --help", "/tmp");
    EXPECT_EQ(help.code, 0) << name << help.err;
    EXPECT_NE(help.out.find("--json"), std::string::npos) << name;
    EXPECT_NE(help.out.find("--threads"), std::string::npos) << name;
  }
}

// With libtorch the trainer answers, without it the refusal says how to get it.
TEST(Help, TheTrainerIsAProgramOfItsOwn) {
  const auto help = shell("velum train --help", "/tmp");
  if (help.code == 0)
    EXPECT_NE(help.out.find("--data"), std::string::npos) << help.out;
  else
    EXPECT_NE(help.err.find("libtorch"), std::string::npos) << help.err;
}

}  // namespace
}  // namespace velum::test
