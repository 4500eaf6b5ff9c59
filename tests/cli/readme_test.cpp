// The walk-through in README.md works as it stands.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "cli/command.h"

namespace velum::test {
namespace {

// The lines of the first code block after the marker.
std::string block_after(const std::string& text, const std::string& marker) {
  auto at = text.find(marker);
  if (at == std::string::npos) return "";
  at = text.find("```sh\n", at);
  if (at == std::string::npos) return "";
  at += 6;
  return text.substr(at, text.find("```", at) - at);
}

TEST(Readme, TheWalkThroughRuns) {
  std::ifstream in(VELUM_SOURCE_DIR "/README.md");
  std::ostringstream text;
  text << in.rdbuf();
  const auto block = block_after(text.str(), "<!-- walk-through -->");
  ASSERT_NE(block, "") << "README.md has no walk-through";
  if (!std::ifstream(VELUM_SOURCE_DIR "/models/digits.onnx"))
    GTEST_SKIP() << "no models/digits.onnx in this checkout";
  const Workplace w;
  w.must("ln -s '" VELUM_SOURCE_DIR "/models' models");
  const auto outcome = w.run("set -euo pipefail\n" + block);
  ASSERT_EQ(outcome.code, 0) << outcome.err << outcome.out;
  EXPECT_GT(lines(w.read("predictions.csv")).size(), 10u);
  EXPECT_TRUE(w.exists("out.json"));
}

}  // namespace
}  // namespace velum::test
