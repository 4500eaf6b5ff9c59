// Files that were once misread or refused, by the commands that met them, where VELUM_CASES names their
// folder.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/command.h"

namespace velum::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Copies a case into a folder of its own.
class Case {
 public:
  explicit Case(const std::string& name) {
    const char* cases = std::getenv("VELUM_CASES");
    if (!cases || !fs::is_directory(fs::path(cases) / name)) return;
    fs::copy(fs::path(cases) / name, w_.folder(),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    there_ = true;
  }
  explicit operator bool() const { return there_; }
  const Workplace* operator->() const { return &w_; }
  double accuracy(const std::string& command) const {
    w_.must(command + " --json case.json");
    return json::parse(w_.read("case.json")).value("accuracy", -1.0);
  }

 private:
  Workplace w_;
  bool there_ = false;
};

#define CASE(name)    \
  const Case c(name); \
  if (!c) GTEST_SKIP() << "VELUM_CASES names no folder of small inputs"

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

TEST(Cases, BytesAreScaledOnceForANetworkThatDivides) {
  CASE("divides-by-255");
  EXPECT_EQ(c.accuracy("velum eval net.onnx --data npy:x.npy,y.npy"), 1.0);
  expect_in(c->must("velum inspect net.onnx").out, "0 to 255");
}

TEST(Cases, OneProbabilityIsCutAtOneHalf) {
  CASE("one-output-threshold");
  EXPECT_EQ(c.accuracy("velum eval net.onnx --data npy:x.npy,y.npy"), 1.0);
  expect_in(c->must("velum eval net.onnx --data npy:x.npy,y.npy").out, "above 0.5");
  c->must("velum run net.onnx --calibrate npy:x.npy --data npy:x.npy,y.npy --json run.json");
  EXPECT_GE(json::parse(c->read("run.json"))["accuracy_encrypted"].get<double>(), 0.95);
}

TEST(Cases, SoftmaxAlongAnotherAxisIsNotDropped) {
  CASE("softmax-other-axis");
  EXPECT_EQ(c.accuracy("velum eval axis2.onnx --data npy:x_axis2.npy,y_axis2.npy"), 1.0);
}

TEST(Cases, AMissingClassFolderIsNoticed) {
  CASE("class-missing");
  const auto refused = c->run("velum eval net.onnx --data folder:folder");
  EXPECT_EQ(refused.code, 2);
  expect_in(refused.err, "5 apart");
  c->write("names.txt", "0\n1\n2\n3\n4\n");
  EXPECT_EQ(c.accuracy("velum eval net.onnx --data folder:folder --classes names.txt"), 1.0);
}

TEST(Cases, NestedImagesAreRead) {
  CASE("nested-images-dropped");
  c->must("velum eval net.onnx --data folder:folder --json e.json");
  EXPECT_EQ(json::parse(c->read("e.json"))["images"], 8);
}

TEST(Cases, NormalisedArraysAreTakenInTheirRange) {
  CASE("normalised-npy");
  const auto refused = c->run("velum eval net.onnx --data npy:xn.npy,y1.npy");
  EXPECT_EQ(refused.code, 2);
  expect_in(refused.err, "--input-range");
  c->must("velum eval net.onnx --data npy:xn.npy,y1.npy --input-range -0.4243,2.8216");
}

TEST(Cases, ChannelsLastNetworksAreFed) {
  CASE("nhwc-no-data");
  expect_in(c->must("velum inspect net.onnx").out, "(N, 8, 8, 1)");
  c->must("velum plan net.onnx --calibrate npy:x881.npy");
  c->must("velum eval net.onnx --data npy:x881.npy,y2.npy");
  c->must("velum eval net.onnx --data folder:folder");
}

TEST(Cases, FlatFoldersAreEncryptedAndNamesStayHere) {
  CASE("flat-folder-encrypt");
  c->must("velum plan net.onnx --calibrate npy:x88.npy --out P");
  c->must("velum keygen --plan P/client.plan --out K");
  c->must("velum encrypt --plan P/client.plan --key K/secret/secret.key --data folder:images --out b.vct");
  c->must("velum infer --plan P/server.plan --keys K/public/eval.keys --in b.vct --out r.vct");
  c->must(
      "velum decrypt --plan P/client.plan --key K/secret/secret.key --in r.vct --names b.vct.names.csv --out "
      "p.csv");
  expect_in(c->read("p.csv"), "i.png");
}

TEST(Cases, WideOutputsAreNotScoredAndTakeNoMemory) {
  CASE("wide-outputs-oom");
  const auto outcome = c->run("ulimit -v 8000000; velum eval net.onnx --data npy:x.npy,y.npy --out p.csv");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  expect_in(outcome.out, "60000 numbers");
  EXPECT_EQ(lines(c->read("p.csv")).size(), 5u);
}

TEST(Cases, DepthGammaAndTransparencyAreAsTheFileHasThem) {
  {
    CASE("png16-gamma");
    for (const auto& [folder, value] : {std::pair{"folder", "0.0625"}, std::pair{"gama1", "0.0627"}}) {
      c->must(std::string("velum eval pix1.onnx --out p.csv --data folder:") + folder);
      expect_in(c->read("p.csv"), value);
    }
  }
  const Case c("rgba-black");
  const auto outcome = c->must("velum eval pix1.onnx --data folder:folder --out p.csv");
  expect_in(outcome.out, "transparency");
  expect_in(c->read("p.csv"), "0.784");
}

TEST(Cases, OtherKindsOfFilesAndSplitsAreRead) {
  {
    CASE("other-extensions-dropped");
    c->must("velum eval pix1.onnx --data folder:folder --out p.csv --json e.json");
    EXPECT_EQ(json::parse(c->read("e.json"))["images"], 3);
  }
  const Case c("capital-splits");
  for (const auto* folder : {"kaggle", "capsplit"})
    c->must(std::string("velum eval pix1.onnx --out p.csv --data folder:") + folder);
}

TEST(Cases, TheAdviceForTrainingNamesTheFile) {
  CASE("train-advice");
  const auto outcome = c->run("velum plan leaky.onnx");
  EXPECT_EQ(outcome.code, 2);
  expect_in(outcome.err, "velum train --from leaky.onnx");
}

// Five of the networks that today's exporters write, encrypted: padding and batch norm, depthwise, branches,
// Keras with its channels last, and a mean. (tools/run_exports.py runs and records all of them.)
class Exports : public testing::TestWithParam<const char*> {};

TEST_P(Exports, KeepTheirPrecisionEncrypted) {
  const char* folder = std::getenv("VELUM_EXPORTS");
  if (!folder || !fs::is_directory(fs::path(folder) / GetParam()))
    GTEST_SKIP() << "VELUM_EXPORTS names no folder of exported networks";
  const Workplace w;
  fs::copy(fs::path(folder) / GetParam(), w.folder());
  auto shape = w.read("shape");
  shape.erase(shape.find_last_not_of(" \n") + 1);
  fs::copy(fs::path(folder) / ("x_" + shape + ".npy"), w.folder() + "/x.npy");
  const auto* model = w.exists("K.onnx") ? "K.onnx" : "D.onnx";
  w.must(std::string("velum run ") + model +
         " --data npy:x.npy --calibrate npy:x.npy --images 16 --json run.json");
  const auto bits = json::parse(w.read("run.json"))["bits_of_bound"];
  EXPECT_GE(bits["predicted"].get<double>(), 12.0);  // what is promised where nobody asks
  EXPECT_GE(bits["kept"].get<double>(), 11.0);       // of few images and outputs: within a bit
}

INSTANTIATE_TEST_SUITE_P(Five, Exports,
                         testing::Values("bn_before_conv_pad", "dw_pw", "concat_branches", "k_residual_gap",
                                         "mean_23"));

TEST(Cases, LoopsOfLinksAreRefusedInWords) {
  CASE("symlink-loop-message");
  const auto outcome = c->run("velum eval net.onnx --data folder:folder --out p.csv");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err.find("filesystem error"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace velum::test
