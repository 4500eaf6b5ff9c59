#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/command.h"
#include "model/onnx.h"

namespace velum::test {
namespace {

TEST(PlanCommand, WithoutOutItOnlyPrints) {
  const Workplace w;
  const auto before = w.files();
  EXPECT_FALSE(w.must("velum plan model.onnx").out.empty());
  EXPECT_EQ(w.files(), before);
}

TEST(PlanCommand, WritesBothHalvesAndJson) {
  const Workplace w;
  const auto plain = w.must("velum plan model.onnx --out plan/ --json plan.json").out;
  EXPECT_TRUE(w.exists("plan/client.plan") && w.exists("plan/server.plan"));
  EXPECT_TRUE(nlohmann::json::parse(w.read("plan.json")).is_object());
  EXPECT_GT(w.must("velum plan model.onnx --explain").out.size(), w.must("velum plan model.onnx").out.size());
}

TEST(PlanCommand, LeadsWithWhatOneAsks) {
  const Workplace w;
  const auto plain = w.must("velum plan model.onnx --batch 20").out;
  std::vector<std::string> names;
  for (const auto& line : lines(plain)) names.push_back(line.substr(0, line.find(' ')));
  const std::vector<std::string> wanted = {"network",   "time",  "memory", "security",
                                           "precision", "sizes", "places", "pixels"};
  EXPECT_EQ(names, wanted) << plain;
  EXPECT_NE(plain.find("predicted for 20 images"), std::string::npos) << plain;
  const auto verbose = w.must("velum plan model.onnx --batch 20 --verbose").out;
  EXPECT_TRUE(verbose.starts_with(plain));
  EXPECT_NE(verbose.find("\nstep "), std::string::npos);
}

TEST(PlanCommand, SaysHowManySlotsAJobUses) {
  const Workplace w;
  const auto places_line = [&](const std::string& options) {
    const auto out = w.must("velum plan model.onnx --batch 20 --json plan.json " + options).out;
    return out.substr(std::min(out.find("\nplaces "), out.size()));
  };
  const auto one = places_line("--packing batch");
  const auto slots =
      nlohmann::json::parse(w.read("plan.json"))["packing"]["images_per_batch"].get<std::size_t>();
  EXPECT_TRUE(
      one.starts_with("\nplaces      20 of " + format_count(slots) + " slots used: a batch takes as long"))
      << one;
  const auto blocks = places_line("--packing blocks --blocks 16");
  const auto places =
      nlohmann::json::parse(w.read("plan.json"))["packing"]["images_per_batch"].get<std::size_t>();
  ASSERT_GE(places, 20u);
  EXPECT_TRUE(blocks.starts_with("\nplaces      320 of " + format_count(16 * places) +
                                 " slots used, 16 an image: a batch takes as long"))
      << blocks;
}

TEST(PlanCommand, ModelsWithoutRangesNeedCalibration) {
  const Workplace w;
  auto graph = w.graph();
  graph.ranges.clear();
  model::save_onnx(graph, w.folder() + "/bare.onnx");
  const auto refused = w.run("velum plan bare.onnx");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--calibrate"), std::string::npos) << refused.err;
  w.must("velum plan bare.onnx --calibrate npy:images.npy");
}

TEST(PlanCommand, RefusesWhatDoesNotFitTheMemory) {
  const Workplace w;
  const auto refused = w.run("velum plan model.onnx --memory 1MiB");
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(lines(refused.err).size(), 1u) << refused.err;
}

}  // namespace
}  // namespace velum::test
