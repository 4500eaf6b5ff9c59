// A few images with several elements a ciphertext, through all commands as separate processes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "cli/command.h"
#include "model/execute.h"

namespace velum::test {
namespace {

class Packings : public testing::TestWithParam<std::string> {};

TEST_P(Packings, ThreeImagesThroughAllCommands) {
  const Workplace w;
  w.must("velum plan model.onnx --out plan/ --batch 3 " + GetParam());
  w.keygen();
  w.must("velum encrypt --plan plan/client.plan --key keys/secret/secret.key " + kData +
         " --images 3 --out batch.vct --json e.json");
  w.infer();
  w.must("velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out p.csv");
  const auto rows = lines(w.read("p.csv"));
  ASSERT_EQ(rows.size(), 4u);
  const auto clear = model::execute(w.graph(), std::span(w.images()).first(3 * 16), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    std::istringstream row(rows[i + 1]);
    std::vector<std::string> cells;
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 5 + Workplace::kOutputs);
    for (std::size_t o = 0; o < Workplace::kOutputs; ++o)
      EXPECT_NEAR(std::stod(cells[5 + o]), clear[i * Workplace::kOutputs + o], 0.02);
  }
  w.must("velum inspect plan/client.plan --json i.json");
  const auto plan = nlohmann::json::parse(w.read("i.json")), sent = nlohmann::json::parse(w.read("e.json"));
  EXPECT_EQ(plan["images_per_batch"], sent["images_per_batch"]);
  EXPECT_EQ(plan["blocks"].get<int>() * plan["images_per_batch"].get<int>(), sent["slots"].get<int>());
  if (GetParam().ends_with("--blocks 16")) {
    EXPECT_EQ(plan["blocks"], 16);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Packings,
                         testing::Values("--packing batch", "--packing blocks --blocks 16",
                                         "--packing channels", "--packing auto"),
                         [](const auto& i) {
                           const auto begin = i.param.find(' ') + 1;
                           return i.param.substr(begin, i.param.find(' ', begin) - begin);
                         });

// Of the server's program as a whole: where the values are small, so must everything else be that is counted.
TEST(Blocks, PeakMemoryIsAsPlanned) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers take memory of their own";
#endif
  const Workplace w;
  const std::string digits = VELUM_SOURCE_DIR "/models/digits.onnx";
  for (const std::string blocks : {"64", "256"}) {
    w.must("velum plan " + digits + " --out plan --packing blocks --threads 1 --blocks " + blocks);
    w.must("velum keygen --plan plan/client.plan --out keys --force");
    w.must(
        "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data digits --images 1 --out "
        "batch.vct");
    w.must(
        "velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct --out l --threads 1 "
        "--json "
        "i.json");
    const auto report = nlohmann::json::parse(w.read("i.json"));
    const double planned = report["planned_peak_bytes"], measured = report["peak_rss_bytes"];
    EXPECT_LE(measured, 1.10 * planned) << blocks << " blocks";
    EXPECT_GE(measured, 0.90 * planned) << blocks << " blocks";
  }
}

TEST(StandardRing, HasNoBlocks) {
  const Workplace w;
  const auto refused = w.run("velum plan model.onnx --out plan/ --batch 3 --packing blocks --ring standard");
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(lines(refused.err).size(), 1u) << refused.err;
  EXPECT_NE(refused.err.find("real ring"), std::string::npos) << refused.err;
  EXPECT_FALSE(w.exists("plan/client.plan"));
}

}  // namespace
}  // namespace velum::test
