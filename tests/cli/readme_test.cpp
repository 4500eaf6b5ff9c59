// The blocks of README.md that are marked as running work as they stand, after `make demo` and with nothing
// else built.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.h"

namespace velum::test {
namespace {

namespace fs = std::filesystem;

// Every code block that follows the marker, in their order.
std::vector<std::string> blocks_after(const std::string& text, const std::string& marker) {
  std::vector<std::string> blocks;
  for (auto at = text.find(marker); at != std::string::npos; at = text.find(marker, at)) {
    at += marker.size();
    const std::string opening = "\n```sh\n";
    if (text.compare(at, opening.size(), opening) != 0) {
      ADD_FAILURE() << "README.md: no block of sh after " << marker << " number " << blocks.size() + 1;
      continue;
    }
    at += opening.size();
    blocks.push_back(text.substr(at, text.find("```", at) - at));
  }
  return blocks;
}

// The programs that `make demo` builds: the words after --target in what it would run.
std::vector<std::string> programs_of_the_demo(const Workplace& w) {
  const auto outcome = w.must("make -n -C '" VELUM_SOURCE_DIR "' demo");
  std::vector<std::string> programs;
  for (const auto& line : lines(outcome.out)) {
    const auto at = line.find("--target ");
    if (at == std::string::npos) continue;
    std::istringstream words(line.substr(at + 9));
    for (std::string word; words >> word;) programs.push_back(word);
  }
  return programs;
}

TEST(Readme, TheMarkedBlocksRunAfterTheDemo) {
  std::ifstream in(VELUM_SOURCE_DIR "/README.md");
  std::ostringstream text;
  text << in.rdbuf();
  const auto blocks = blocks_after(text.str(), "<!-- runs -->");
  ASSERT_GE(blocks.size(), 3u) << "README.md has lost its blocks";
  ASSERT_NE(blocks[0].find("export PATH="), std::string::npos)
      << "the first block puts the build on the PATH";
  if (!std::ifstream(VELUM_SOURCE_DIR "/models/digits.onnx"))
    GTEST_SKIP() << "no models/digits.onnx in this checkout";

  // A checkout after `make demo`: the networks, and the programs that it builds where it leaves them.
  const Workplace w;
  w.must("ln -s '" VELUM_SOURCE_DIR "/models' models && mkdir -p build/release/bin");
  const auto programs = programs_of_the_demo(w);
  ASSERT_FALSE(programs.empty()) << "make demo names no targets";
  const auto built = fs::path(VELUM_PROGRAM).parent_path();
  for (const auto& program : programs)
    fs::copy_file(built / program, w.folder() + "/build/release/bin/" + program);

  // One shell for all, as a reader has one, and no other velum on its PATH.
  std::string script = "set -euo pipefail\nexport PATH=/usr/local/bin:/usr/bin:/bin\n";
  for (const auto& block : blocks) script += block;
  const auto outcome = w.run(script);
  ASSERT_EQ(outcome.code, 0) << outcome.err << outcome.out;
  EXPECT_GT(lines(w.read("predictions.csv")).size(), 10u);
  for (const auto* file : {"out.json", "report.html", "run.html"}) EXPECT_TRUE(w.exists(file)) << file;
}

}  // namespace
}  // namespace velum::test
