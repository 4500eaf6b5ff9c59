// Images unlike those that a network was measured on: in range, and told all the same.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/command.h"
#include "data/dataset.h"
#include "model/input_statistics.h"

namespace velum::test {
namespace {

constexpr std::size_t kMeasuredOn = 200, kElements = 16;

class Statistics : public ::testing::Test {
 protected:
  Statistics() {
    w.write("dark.npy", npy_floats(images(kMeasuredOn, 0), {kMeasuredOn, 1, 4, 4}));
    auto some = images(20, 1);
    for (const std::size_t i : {3, 17})
      for (std::size_t e = 0; e < kElements; ++e) some[i * kElements + e] = 1 - some[i * kElements + e];
    w.write("some.npy", npy_floats(some, {20, 1, 4, 4}));
  }
  static std::vector<float> images(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> pixel(0, 0.4F);
    std::vector<float> all(count * kElements);
    for (auto& x : all) x = pixel(random);
    all[0] = 0, all[1] = 0.4F;
    return all;
  }
  Workplace w;
};

TEST_F(Statistics, EncryptAndRunWarn) {
  w.must("velum plan model.onnx --calibrate npy:dark.npy --margin 4 --out plan");
  w.keygen();
  const std::string encrypt =
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --out b.vct --json b.json ";
  const auto warned = w.must(encrypt + "--data npy:some.npy");
  EXPECT_NE(warned.err.find(
                "velum encrypt: warning: 2 of 20 images are unlike the 200 that the network was measured "
                "on: images 3, 17;"),
            std::string::npos)
      << warned.err;
  EXPECT_EQ(nlohmann::json::parse(w.read("b.json"))["unlike_images"], 2);
  EXPECT_EQ(w.must(encrypt + "--data npy:dark.npy").err, "");
  EXPECT_NE(w.must("velum inspect plan/client.plan").out.find("200 images"), std::string::npos);
  const auto ran = w.must("velum run model.onnx --calibrate npy:dark.npy --margin 4 --data npy:some.npy");
  EXPECT_NE(ran.err.find("velum run: warning: 2 of 20 images are unlike"), std::string::npos) << ran.err;
}

TEST_F(Statistics, MayBeLeftOut) {
  w.must("velum plan model.onnx --calibrate npy:dark.npy --margin 4 --out with");
  w.must("velum plan model.onnx --calibrate npy:dark.npy --margin 4 --no-statistics --out plan");
  EXPECT_EQ(w.read("plan/client.plan").size() + 2 * kElements, w.read("with/client.plan").size());
  w.keygen();
  EXPECT_EQ(w.must("velum encrypt --plan plan/client.plan --key keys/secret/secret.key --out b.vct --data "
                   "npy:some.npy")
                .err,
            "");
}

TEST_F(Statistics, AreNotMadeOfFewImages) {
  const auto planned = w.must("velum plan model.onnx --calibrate npy:images.npy --out plan");
  EXPECT_NE(planned.out.find("note: 20 calibration images are too few"), std::string::npos) << planned.out;
}

// The sets of the README, each measured on the images that `--calibrate` takes of it.
void expect_few_unlike(const std::string& spec, bool inversion_shows) {
  data::LoadOptions options;
  options.split = data::Split::train;
  options.limit = 1000;
  const auto train = data::load(spec, options);
  options.split = data::Split::test;
  options.limit = 0;
  auto test = data::load(spec, options);
  const auto statistics = model::measure_inputs(train.images, train.count(), 0, 1);
  const auto unlike = model::unlike_images(statistics, test.images, 0, 1).size();
  ::testing::Test::RecordProperty("unlike_of_test_split",
                                  std::to_string(unlike) + " of " + std::to_string(test.count()));
  EXPECT_LE(unlike, test.count() / 100) << spec;
  if (!inversion_shows) return;
  for (auto& x : test.images) x = 1 - x;
  EXPECT_EQ(model::unlike_images(statistics, test.images, 0, 1).size(), test.count()) << spec;
}

std::string data_folder(const std::string& name) {
  const char* folder = std::getenv("VELUM_DATA");
  const auto path = std::string(folder ? folder : "") + "/" + name;
  return folder && std::filesystem::exists(path) ? path : "";
}

TEST(StatisticsOfSets, BuiltInDigits) {
  expect_few_unlike("digits", true);
}

TEST(StatisticsOfSets, Mnist) {
  const auto folder = data_folder("mnist");
  if (folder.empty()) GTEST_SKIP() << "VELUM_DATA names no folder with mnist/";
  expect_few_unlike("mnist:" + folder, true);
}

TEST(StatisticsOfSets, PneumoniaMnist) {
  const auto file = data_folder("pneumoniamnist/pneumoniamnist.npz");
  if (file.empty()) GTEST_SKIP() << "VELUM_DATA names no folder with pneumoniamnist/";
  expect_few_unlike("medmnist:" + file, false);
}

TEST(StatisticsOfSets, Cifar10) {
  if (data_folder("cifar10/test_batch.bin").empty())
    GTEST_SKIP() << "VELUM_DATA has no cifar10/test_batch.bin";
  expect_few_unlike("cifar10:" + data_folder("cifar10"), false);
}

}  // namespace
}  // namespace velum::test
