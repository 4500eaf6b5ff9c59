// The DATASET argument, and the real sets where VELUM_DATA names a folder that has them.
#include "data/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/temp_folder.h"
#include "data/make_files.h"

namespace velum::data {
namespace {

using testing::expect_user_error;

TEST(Dataset, UnknownKindsListTheKnown) {
  expect_user_error({"\"fashion\"", "mnist:DIR", "npy:FILE[,LABELS]"}, [] { load("fashion:x", {}); });
  expect_user_error({"expected one of"}, [] { load("", {}); });
}

TEST(Dataset, PathsWhereTheyBelong) {
  expect_user_error({"mnist:DIR"}, [] { load("mnist", {}); });
  expect_user_error({"mnist:DIR"}, [] { load("mnist:", {}); });
  expect_user_error({"medmnist:FILE.npz"}, [] { load("medmnist", {}); });
  expect_user_error({"digits takes no path"}, [] { load("digits:x", {}); });
}

TEST(Dataset, WrongShapesAreNamed) {
  LoadOptions options;
  options.limit = 2;
  options.channels = 3;
  options.height = 32;
  expect_user_error({"1x28x28", "3x32x28"}, [&] { load("digits", options); });
}

std::string real(const std::string& name) {
  const char* folder = std::getenv("VELUM_DATA");
  return folder ? std::string(folder) + "/" + name : "";
}

// Labels of the whole split, counted.
std::vector<std::size_t> histogram(const Dataset& set) {
  std::vector<std::size_t> n(set.classes.size());
  for (const auto label : set.labels) ++n.at(static_cast<std::size_t>(label));
  return n;
}

TEST(RealData, Mnist) {
  const auto path = real("mnist");
  if (path.empty() || !std::filesystem::exists(path))
    GTEST_SKIP() << "VELUM_DATA names no folder with mnist/";
  const auto test = load("mnist:" + path, {});
  EXPECT_EQ(histogram(test),
            (std::vector<std::size_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  EXPECT_EQ(test.labels[0], 7);
  double mean = 0;
  for (const auto v : test.images) mean += static_cast<double>(v);
  EXPECT_NEAR(mean / static_cast<double>(test.images.size()), 0.1325, 0.0001);
  LoadOptions options;
  options.split = Split::train;
  EXPECT_EQ(load("mnist:" + path, options).count(), 55000u);
  options.split = Split::validation;
  EXPECT_EQ(load("mnist:" + path, options).count(), 5000u);
}

TEST(RealData, PneumoniaMnist) {
  const auto path = real("pneumoniamnist/pneumoniamnist.npz");
  if (path.empty() || !std::filesystem::exists(path))
    GTEST_SKIP() << "VELUM_DATA names no folder with pneumoniamnist/";
  const auto test = load("medmnist:" + path, {});
  EXPECT_EQ(test.count(), 624u);
  EXPECT_EQ(histogram(test), (std::vector<std::size_t>{234, 390}));
  LoadOptions options;
  options.split = Split::train;
  EXPECT_EQ(load("medmnist:" + path, options).count(), 3882u);
}

TEST(RealData, CovidXray) {
  const auto path = real("covid-xray");
  if (path.empty() || !std::filesystem::exists(path))
    GTEST_SKIP() << "VELUM_DATA names no folder with covid-xray/";
  LoadOptions options;
  options.channels = 1;
  options.height = options.width = 32;
  const auto test = load("folder:" + path, options);
  EXPECT_EQ(test.classes, (std::vector<std::string>{"covid", "normal", "pneumonia"}));
  EXPECT_EQ(test.count(), 248u);
  EXPECT_TRUE(std::all_of(test.images.begin(), test.images.end(), [](float v) { return v >= 0 && v <= 1; }));
}

TEST(RealData, Cifar10) {
  const auto path = real("cifar10");
  if (path.empty() || !(std::filesystem::exists(path + "/test_batch.bin") ||
                        std::filesystem::exists(path + "/cifar-10-batches-bin/test_batch.bin")))
    GTEST_SKIP() << "VELUM_DATA names no folder with cifar10/test_batch.bin";
  const auto test = load("cifar10:" + path, {});
  EXPECT_EQ(histogram(test), std::vector<std::size_t>(10, 1000));
  // Means of red, green and blue, which tell the planes apart; the images' order differs between copies of
  // the set.
  double mean[3] = {0, 0, 0};
  for (std::size_t i = 0; i < test.images.size(); ++i)
    mean[i / 1024 % 3] += static_cast<double>(test.images[i]);
  const double pixels = static_cast<double>(test.images.size()) / 3;
  EXPECT_NEAR(mean[0] / pixels, 0.494, 0.01);
  EXPECT_NEAR(mean[1] / pixels, 0.485, 0.01);
  EXPECT_NEAR(mean[2] / pixels, 0.450, 0.01);
}

}  // namespace
}  // namespace velum::data
