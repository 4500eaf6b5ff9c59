// velum run and bench: results as text, JSON and CSV.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/units.h"
#include "cli/command.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "support/graphs.h"

namespace velum::test {
namespace {

using nlohmann::json;

TEST(Run, JsonHoldsEveryFigure) {
  const Workplace w;
  w.must("velum run model.onnx " + kData + " --json out.json --out predictions.csv --threads 2");
  const auto j = json::parse(w.read("out.json"));
  for (const auto* key :
       {"images", "slots", "accuracy_clear", "accuracy_encrypted", "macro_f1_clear", "macro_f1_encrypted",
        "agreement", "max_abs_error", "precision_bits", "amortized_ms", "peak_rss_bytes"})
    EXPECT_TRUE(j.contains(key) && j[key].is_number()) << key;
  for (const auto* key : {"plan", "keygen", "encrypt", "evaluate", "decrypt"})
    EXPECT_TRUE(j["seconds"].contains(key) && j["seconds"][key].is_number()) << key;
  for (const auto* key : {"input", "output", "eval_keys"}) EXPECT_GT(j["bytes"][key].get<double>(), 0) << key;
  EXPECT_EQ(j["params"]["ring"], "real");
  EXPECT_EQ(j["params"]["security_bits"], 128);
  EXPECT_EQ(j["slots"], j["params"]["ring_dimension"]);
  EXPECT_GT(j["params"]["log2_qp"].get<double>(), 20);
  EXPECT_FALSE(j["params"]["prime_bits"].empty());
  ASSERT_FALSE(j["layers"].empty());
  for (const auto* key : {"name", "seconds", "multiply_adds", "ntts", "bytes", "level", "scale_bits"})
    EXPECT_TRUE(j["layers"][0].contains(key)) << key;
  EXPECT_EQ(j["images"], Workplace::kImages);
  EXPECT_DOUBLE_EQ(j["accuracy_clear"].get<double>(), 0.8);
  EXPECT_GT(j["precision_bits"].get<double>(), 6);
  EXPECT_NEAR(j["amortized_ms"].get<double>(),
              1e3 * j["seconds"]["evaluate"].get<double>() / Workplace::kImages, 1e-9);
  EXPECT_EQ(lines(w.read("predictions.csv")).size(), Workplace::kImages + 1);
}

TEST(Run, StandardRingHasHalfTheSlots) {
  const Workplace w;
  w.must("velum run model.onnx " + kData + " --ring standard --json out.json");
  const auto j = json::parse(w.read("out.json"));
  EXPECT_EQ(j["params"]["ring"], "standard");
  EXPECT_EQ(2 * j["slots"].get<int>(), j["params"]["ring_dimension"].get<int>());
  EXPECT_GT(j["precision_bits"].get<double>(), 6);
}

TEST(Run, ProbeReportsThePrecisionOfEveryLayer) {
  const Workplace w;
  const auto outcome = w.must("velum run model.onnx " + kData + " --probe --json out.json");
  EXPECT_NE(outcome.out.find("precision"), std::string::npos);
  const auto report = json::parse(w.read("out.json"));
  const auto& layers = report["layers"];
  for (const auto& layer : layers) {
    EXPECT_GT(layer.value("precision_bits", 0.0), 5) << layer.dump();
    EXPECT_GE(layer.value("noise_precision_bits", 0.0) + 0.5, layer["precision_bits"].get<double>());
  }
  // The last layer is the output itself, on a sample of its images.
  EXPECT_NEAR(layers.back()["precision_bits"].get<double>(), report["precision_bits"].get<double>(), 2);
}

// The names of all values: `a.b` for those of an object, and those of a list's objects by themselves.
void collect_keys(const json& object, const std::string& path, std::set<std::string>& keys) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      collect_keys(value, path + key + ".", keys);
      continue;
    }
    keys.insert(path + key);
    if (!value.is_array()) continue;
    for (const auto& element : value)
      if (element.is_object()) collect_keys(element, "", keys);
  }
}

TEST(Run, EveryKeyOfTheReportsIsDocumented) {
  const Workplace w;
  w.must("velum run model.onnx " + kData + " --probe --json run.json");
  w.plan();
  w.keygen();
  w.encrypt();
  w.must(
      "velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct --out logits.vct "
      "--json infer.json");
  std::set<std::string> keys;
  for (const auto* file : {"run.json", "infer.json"}) collect_keys(json::parse(w.read(file)), "", keys);
  EXPECT_GT(keys.size(), 40u);
  std::ifstream in(VELUM_SOURCE_DIR "/docs/api.md");
  std::ostringstream page;
  page << in.rdbuf();
  for (const auto& key : keys) EXPECT_NE(page.str().find("`" + key + "`"), std::string::npos) << key;
}

// What a person asks comes first, predicted beside measured; tables of steps only where they are asked for.
TEST(Run, LeadsWithWhatOneAsks) {
  const Workplace w;
  const auto out = lines(w.must("velum run model.onnx --json out.json " + kData).out);
  const auto line_of = [&](const std::string& begin) {
    return std::ranges::find_if(out, [&](const auto& line) { return line.starts_with(begin); }) - out.begin();
  };
  const auto all = static_cast<std::ptrdiff_t>(out.size());
  for (const std::string name :
       {"accuracy ", "agreement ", "time ", "memory ", "security ", "precision ", "places "})
    EXPECT_LT(line_of(name), all) << name;
  EXPECT_EQ(line_of("accuracy "), 0);
  EXPECT_LT(line_of("agreement "), line_of("time "));
  EXPECT_NE(out[static_cast<std::size_t>(line_of("time "))].find("predicted"), std::string::npos);
  EXPECT_NE(out[static_cast<std::size_t>(line_of("memory "))].find("predicted"), std::string::npos);
  const auto j = json::parse(w.read("out.json"));
  const auto slots = j["slots"].get<std::size_t>(), each = slots / j["images_per_batch"].get<std::size_t>();
  const auto used = format_count(Workplace::kImages * each) + " of " + format_count(slots) + " slots used";
  EXPECT_NE(out[static_cast<std::size_t>(line_of("places "))].find(used), std::string::npos) << used;
  EXPECT_EQ(line_of("layer "), all);
  const auto verbose = w.must("velum run model.onnx --verbose " + kData).out;
  EXPECT_NE(verbose.find("\nlayer "), std::string::npos);
  EXPECT_NE(verbose.find("\nmoduli "), std::string::npos);
}

TEST(Run, FewerImagesCanBeTaken) {
  const Workplace w;
  w.must("velum run model.onnx " + kData + " --images 3 --json out.json");
  EXPECT_EQ(json::parse(w.read("out.json"))["images"], 3);
}

TEST(Run, HigherSecurityIsKept) {
  const Workplace w;
  w.must("velum run model.onnx " + kData + " --images 3 --security 256 --json out.json");
  EXPECT_EQ(json::parse(w.read("out.json"))["params"]["security_bits"], 256);
}

TEST(Run, ThePageComparesEncryptedAndClear) {
  const Workplace w;
  w.must("velum run model.onnx " + kData + " --html page.html");
  const auto page = w.read("page.html");
  for (const auto* what : {"Confusion matrix, encrypted and clear", "Time by step", "80.00 %",
                           "Time an image", "ms predicted", "<dt>Security</dt>", "velum run model.onnx",
                           "<dt>version</dt>", "<dt>commit</dt>", "<dt>machine</dt>"})
    EXPECT_NE(page.find(what), std::string::npos) << what;
  EXPECT_EQ(page.find("Confusion matrix, clear"), std::string::npos) << "one matrix, with what differs";
  EXPECT_EQ(page.find("Precision by layer"), std::string::npos) << "without --probe";
  // Without labels there is nothing to compare, but the times are there.
  w.must("velum run model.onnx --data npy:images.npy --html bare.html");
  const auto bare = w.read("bare.html");
  EXPECT_EQ(bare.find("Confusion matrix"), std::string::npos);
  EXPECT_NE(bare.find("Time by step"), std::string::npos);
  w.must("velum run model.onnx " + kData + " --probe --html probed.html");
  EXPECT_NE(w.read("probed.html").find("Precision by layer"), std::string::npos);
}

// Every pixel within its range, and layers far outside theirs.
TEST(Run, ImagesOutsideTheNetworksRangesAreAFailure) {
  const Workplace w;
  w.write("white.npy", npy_floats(std::vector<float>(2 * 784, 1.0F), {2, 1, 28, 28}));
  const auto outcome = w.run("velum run " VELUM_SOURCE_DIR
                             "/models/digits.onnx --data npy:white.npy --json out.json --out p.csv");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(lines(outcome.err).back().find("velum run: "), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find("images 0, 1"), std::string::npos) << outcome.err;
  EXPECT_FALSE(w.exists("out.json") || w.exists("p.csv"));
}

// Every value within its range, and yet the errors are many times the predicted ones: the rounding of weights
// was predicted for dark images, as those were that the network was measured on, all but one.
TEST(Run, FarLessPrecisionThanPredictedIsAFailure) {
  const Workplace w;
  std::vector<float> dark(1000 * 16), bright(20 * 16, 1.0F);
  for (std::size_t i = 0; i < dark.size(); ++i) dark[i] = i < 16 ? 1.0F : 0.001F * static_cast<float>(i % 7);
  GraphBuilder b({1, 4, 4});
  auto graph = b.finish(b.dense(b.flatten(b.input(), 16), 16, 3));
  model::calibrate(graph, dark, 1000, 0.5);
  model::save_onnx(graph, w.folder() + "/dark.onnx");
  w.write("dark.npy", npy_floats(dark, {1000, 1, 4, 4}));
  w.write("bright.npy", npy_floats(bright, {20, 1, 4, 4}));
  w.must("velum run dark.onnx --precision 8 --data npy:dark.npy");
  const auto outcome =
      w.run("velum run dark.onnx --precision 8 --data npy:bright.npy --json o.json --out p.csv");
  EXPECT_EQ(outcome.code, 2) << outcome.out << outcome.err;
  EXPECT_NE(outcome.err.find("bits of the plan's largest output where"), std::string::npos) << outcome.err;
  EXPECT_FALSE(w.exists("o.json") || w.exists("p.csv"));
}

TEST(Bench, RepeatsTheEvaluationOfANetwork) {
  const Workplace w;
  w.must("velum bench network model.onnx " + kData + " --repeat 2 --json b.json");
  const auto j = json::parse(w.read("b.json"));
  EXPECT_EQ(j["seconds"].size(), 2u);
}

}  // namespace
}  // namespace velum::test
