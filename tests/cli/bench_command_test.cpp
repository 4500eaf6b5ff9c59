// velum bench, end to end on tiny networks. No test asserts a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"

namespace velum::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::string kFixtures = std::string(VELUM_SOURCE_DIR) + "/tests/bench/files/";

void refuses(const Workplace& w, const std::string& line, const std::string& says) {
  const auto outcome = w.run(line);
  EXPECT_EQ(outcome.code, 2) << line << "\n" << outcome.err;
  EXPECT_EQ(lines(outcome.err).size(), 1u) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(says)) << line;
}

TEST(BenchCommand, KernelsOfOneVariant) {
  const Workplace w;
  const auto out =
      w.must("velum bench kernels --variant ref --only ntt_forward/4096 --repeat 2 --json k.json").out;
  EXPECT_THAT(out, HasSubstr("ntt_forward/4096"));
  const auto result = json::parse(w.read("k.json"));
  EXPECT_EQ(result["bench"], "kernels");
  ASSERT_EQ(result["measurements"].size(), 1u);
  EXPECT_EQ(result["measurements"][0]["name"], "ref/ntt_forward/4096");
  EXPECT_EQ(result["measurements"][0]["limit"], "mul");
  EXPECT_TRUE(result["machine"].contains("compiler"));
  refuses(w, "velum bench kernels --variant avx1024", "avx1024");
  refuses(w, "velum bench kernels --only nonsense", "nonsense");
}

TEST(BenchCommand, ANetworkAtEveryNumberOfThreads) {
  const Workplace w;
  const auto out =
      w.must("velum bench network model.onnx " + kData + " --threads 2 --repeat 2 --json n.json").out;
  EXPECT_THAT(out, HasSubstr("registers only"));
  const auto result = json::parse(w.read("n.json"));
  EXPECT_EQ(result["bench"], "network");
  ASSERT_EQ(result["runs"].size(), 2u);
  for (const auto& run : result["runs"]) {
    double share = 0;
    for (const auto& layer : run["layers"]) share += layer["share"].get<double>();
    EXPECT_GT(share, 0);
    EXPECT_GT(run["predicted_seconds"].get<double>(), 0);
    EXPECT_EQ(run["seconds"].size(), 2u);
    EXPECT_GE(run["serial_share"].get<double>(), 0);
    EXPECT_LT(run["serial_share"].get<double>(), 1);
    EXPECT_GT(run["registers_only_speed_up"].get<double>(), 0);
  }
  EXPECT_EQ(result["activations"], 2);
  EXPECT_EQ(result["rates"], "built-in defaults");
  // A result compared with itself: every ratio is one.
  w.must("velum bench compare n.json n.json --json same.json");
  for (const auto& r : json::parse(w.read("same.json"))["ratios"]) EXPECT_EQ(r["ratio"], 1.0);
}

TEST(BenchCommand, CompareReadsRecordsAndRefusesTheRest) {
  const Workplace w;
  const auto out = w.must("velum bench compare " + kFixtures + "before.json " + kFixtures + "after.json").out;
  EXPECT_THAT(out, HasSubstr("B is less"));
  EXPECT_THAT(out, HasSubstr("only in A: avx512/split_pair/8192x3"));
  const auto with = [&](const std::string& name, const std::string& text) {
    w.write(name, text);
    return "velum bench compare " + name + " " + kFixtures + "after.json";
  };
  refuses(w, with("text.json", "not json"), "not JSON");
  refuses(w, with("list.json", "[1, 2]"), "not a result");
  refuses(w, with("other.json", R"({"bench": "network", "version": 1, "measurements":
                   [{"name": "x", "unit": "seconds", "samples": [1]}]})"),
          "bench network");
  refuses(w, with("newer.json", R"({"bench": "kernels", "version": 7, "measurements": []})"), "version 7");
  refuses(w, with("empty.json", R"({"bench": "kernels", "version": 1, "measurements": []})"),
          "no measurements");
  refuses(w, with("zero.json", R"({"bench": "kernels", "version": 1, "measurements":
                   [{"name": "x", "unit": "seconds", "samples": [0]}]})"),
          "above zero");
  refuses(w, with("none.json", R"({"bench": "kernels", "version": 1, "measurements":
                   [{"name": "x", "unit": "seconds", "samples": [1]}]})"),
          "no measurement in common");
  refuses(w, with("unit.json", R"({"bench": "kernels", "version": 1, "measurements":
                   [{"name": "avx512/add/8192", "unit": "bytes", "samples": [1]}]})"),
          "cannot be compared");
  EXPECT_NE(w.run("velum bench compare absent.json absent.json").code, 0);
}

TEST(BenchCommand, CalibratedRatesAreReadByThePlanner) {
  const Workplace w;
  const auto place = "XDG_CONFIG_HOME=" + w.folder() + "/config";
  w.must(place + " velum bench calibrate --networks dense-8x2 --repeat 1 --threads 2");
  ASSERT_TRUE(w.exists("config/velum/rates.json"));
  const auto rates = json::parse(w.read("config/velum/rates.json"));
  EXPECT_EQ(rates["threads"], 2);
  for (const auto& [name, rate] : rates["one_thread"].items()) EXPECT_GT(rate.get<double>(), 0) << name;

  // The user's file, a file that is named, and neither.
  EXPECT_THAT(w.must("unset VELUM_RATES; " + place + " velum plan model.onnx --explain").out,
              HasSubstr("rates: calibrated, from " + w.folder() + "/config/velum/rates.json"));
  EXPECT_THAT(w.must("VELUM_RATES=config/velum/rates.json velum plan model.onnx --explain").out,
              HasSubstr("rates: calibrated, from config/velum/rates.json"));
  EXPECT_THAT(w.must("velum plan model.onnx --explain --rates config/velum/rates.json").out,
              HasSubstr("rates: calibrated"));
  EXPECT_THAT(w.must("unset VELUM_RATES; " + place + " velum plan model.onnx --explain --rates builtin").out,
              HasSubstr("rates: built-in defaults"));

  // Another machine's rates in a shared home are left aside, unless they are named.
  auto other = rates;
  other["cpu"] = "another";
  w.write("config/velum/rates.json", other.dump());
  const auto aside = w.must("unset VELUM_RATES; " + place + " velum plan model.onnx --explain");
  EXPECT_THAT(aside.out, HasSubstr("rates: built-in defaults"));
  EXPECT_THAT(aside.out, HasSubstr("is left aside; run velum bench calibrate"));
  EXPECT_THAT(w.must("velum plan model.onnx --explain --rates config/velum/rates.json").out,
              HasSubstr("rates: calibrated"));
}

TEST(BenchCommand, BadRatesAreRefused) {
  const Workplace w;
  w.write("bad.json", "{");
  refuses(w, "velum plan model.onnx --rates bad.json", "bad.json");
  w.write("bad.json",
          R"({"rates": "velum", "version": 1, "threads": 2, "one_thread": {}, "all_threads": {}})");
  refuses(w, "VELUM_RATES=bad.json velum plan model.onnx", "calibrate");
  EXPECT_NE(w.run("velum plan model.onnx --rates absent.json").code, 0);
}

TEST(BenchCommand, RandomModelsCanBePlanned) {
  const Workplace w;
  w.must("velum bench make-model dense-8x2 --out random.onnx");
  EXPECT_THAT(w.must("velum plan random.onnx").out, HasSubstr("dense-8x2"));
  refuses(w, "velum bench make-model nonsense --out other.onnx", "cifar10-ngraph");
  EXPECT_FALSE(w.exists("other.onnx"));
}

}  // namespace
}  // namespace velum::test
