// Data sets as the trainer takes them, and what is wrong with them.
#include "train/data.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/error.h"
#include "base/temp_folder.h"
#include "data/make_files.h"
#include "support.h"
#include "system/file.h"

namespace velum::train {
namespace {

using velum::testing::expect_user_error;

// Class folders of little grey images, one more class in the test split.
std::string class_folders() {
  const std::filesystem::path folder = scratch("folders");
  for (const std::string split : {"train", "val", "test"})
    for (const std::string name : {"cat", "dog", "owl"}) {
      if (name == "owl" && split != "test") continue;
      std::filesystem::create_directories(folder / split / name);
      for (int i = 0; i < 4; ++i) {
        const std::vector<std::uint8_t> pixels(64, static_cast<std::uint8_t>(40 * i));
        const auto bytes = velum::testing::png(1, 8, 8, pixels);
        write_file_atomically((folder / split / name / fmt::format("{}.png", i)).string(),
                              std::span<const std::uint8_t>(bytes));
      }
    }
  return folder.string();
}

std::string message_of(const TrainOptions& o) {
  try {
    load_training_data(o);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Folders, AreResizedAndBadImagesNamedThenSkipped) {
  const auto folder = class_folders();
  std::filesystem::remove_all(folder + "/test/owl");
  TrainOptions o;
  o.data = "folder:" + folder;
  o.image_size = 12;
  auto data = load_training_data(o);
  EXPECT_EQ(data.image_shape, (model::Shape{1, 12, 12}));
  EXPECT_EQ(data.train.count(), 8);
  EXPECT_EQ(data.classes, (std::vector<std::string>{"cat", "dog"}));
  std::ofstream(folder + "/train/cat/2.png") << "no image";
  EXPECT_NE(message_of(o).find("cat/2.png"), std::string::npos) << message_of(o);
  EXPECT_NE(message_of(o).find("--skip-bad"), std::string::npos) << message_of(o);
  o.skip_bad = true;
  data = load_training_data(o);
  EXPECT_EQ(data.train.count(), 7);
  ASSERT_EQ(data.notes.size(), 1u);
  EXPECT_NE(data.notes[0].find("cat/2.png"), std::string::npos);
  o.data = "digits";
  EXPECT_NE(message_of(o).find("--image-size"), std::string::npos);
  std::filesystem::remove_all(folder);
}

// Photographs of 4 by 8 pixels that say they lie on their side, dark at the ends: as velum eval takes them by
// the same options.
TEST(Folders, AreFittedAndTurnedAsTheOptionsSay) {
  const std::filesystem::path folder = scratch("photographs");
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 8; ++x)
      pixels.push_back(x < 2 || x >= 6 ? 0 : static_cast<std::uint8_t>(100 + 20 * y));
  const auto bytes =
      velum::testing::raw_png(0, 8, 4, 8, pixels, {{"eXIf", velum::testing::exif_orientation(6, true)}});
  for (const std::string split : {"train", "val", "test"})
    for (const std::string name : {"cat", "dog"}) {
      std::filesystem::create_directories(folder / split / name);
      write_file_atomically((folder / split / name / "a.png").string(), std::span<const std::uint8_t>(bytes));
    }
  TrainOptions o;
  o.data = "folder:" + folder.string();
  o.image_size = 4;
  const auto first_pixels = [&](const char* resize, const char* exif) {
    o.resize = resize;
    o.exif = exif;
    return 255 * load_training_data(o).train.images[0][0];
  };
  // The centre, row by row; upright, the stored first row stands at the right.
  const auto centre = torch::tensor({100, 120, 140, 160}).reshape({4, 1}).expand({4, 4});
  EXPECT_TRUE(torch::allclose(first_pixels("crop", "ignore"), centre.to(torch::kFloat), 0, 1e-3));
  EXPECT_TRUE(
      torch::allclose(first_pixels("crop", "apply"), centre.rot90(-1, {0, 1}).to(torch::kFloat), 0, 1e-3));
  // Whole, with black above and below; turned, at the sides.
  const auto whole = first_pixels("fit", "ignore"), upright = first_pixels("fit", "apply");
  EXPECT_EQ(whole.slice(0, 1, 3).min().item<float>() > 0, true);
  EXPECT_EQ(whole[0].max().item<float>() + whole[3].max().item<float>(), 0);
  EXPECT_TRUE(torch::allclose(upright, whole.rot90(-1, {0, 1}), 0, 1e-3));
  EXPECT_GT(first_pixels("stretch", "ignore")[0].max().item<float>(), 50);
  std::filesystem::remove_all(folder);
}

TEST(Folders, AClassWithoutTrainingImagesIsNamed) {
  const auto folder = class_folders();
  TrainOptions o;
  o.data = "folder:" + folder;
  EXPECT_NE(message_of(o).find("class owl, which test image 8 is of"), std::string::npos) << message_of(o);
  std::filesystem::create_directories(folder + "/train/owl");
  EXPECT_NE(message_of(o).find("owl"), std::string::npos) << message_of(o);
  EXPECT_NE(message_of(o).find("no image (PNG"), std::string::npos) << message_of(o);
  std::filesystem::remove_all(folder);
}

// Images that were learnt say nothing of others.
TEST(Folders, ThatAreNotDividedAreRefused) {
  const auto folder = class_folders();
  TrainOptions o;
  o.data = "folder:" + folder + "/train";
  expect_user_error({o.data, "not divided", "DIR/train/CLASS"}, [&] { load_training_data(o); });
  const velum::testing::TempFolder files;
  const std::vector<std::uint8_t> pixels(32), labels{0, 1};
  o.data = "npy:" + files.write("images.npy", velum::testing::npy("|u1", "(2, 4, 4)", pixels)) + "," +
           files.write("labels.npy", velum::testing::npy("|u1", "(2,)", labels));
  expect_user_error({"npy:", "not divided", "medmnist:FILE.npz"}, [&] { load_training_data(o); });
  std::filesystem::remove_all(folder);
}

TEST(Folders, SplitsHaveNoImageInCommon) {
  const auto folder = class_folders();
  std::filesystem::remove_all(folder + "/test/owl");
  int value = 0;  // of every pixel: no two images are alike
  for (const std::string split : {"train", "val", "test"})
    for (const std::string name : {"cat", "dog"})
      for (int i = 0; i < 4; ++i) {
        const std::vector<std::uint8_t> pixels(64, static_cast<std::uint8_t>(++value));
        const auto bytes = velum::testing::png(1, 8, 8, pixels);
        write_file_atomically(fmt::format("{}/{}/{}/{}.png", folder, split, name, i),
                              std::span<const std::uint8_t>(bytes));
      }
  TrainOptions o;
  o.data = "folder:" + folder;
  const auto data = load_training_data(o);
  std::set<int> seen;
  for (const auto* s : {&data.train, &data.validation, &data.test})
    for (std::int64_t i = 0; i < s->count(); ++i)
      EXPECT_TRUE(
          seen.insert(static_cast<int>(std::lround(255 * s->images[i][0][0][0].item<float>()))).second);
  EXPECT_EQ(seen.size(), 24u);
  std::filesystem::remove_all(folder);
}

TEST(Folders, ChannelsAreAsAskedFor) {
  const auto folder = class_folders();
  std::filesystem::remove_all(folder + "/test/owl");
  TrainOptions o;
  o.data = "folder:" + folder;
  o.channels = 3;
  const auto data = load_training_data(o);
  EXPECT_EQ(data.image_shape, (model::Shape{3, 8, 8}));
  EXPECT_EQ(data.test.images.size(1), 3);
  o.data = "digits";
  expect_user_error({"--channels 3"}, [&] { load_training_data(o); });
  std::filesystem::remove_all(folder);
}

TEST(Folders, TheTestImagesMayBeMissingWhereTheyAreNotLookedAt) {
  const auto folder = class_folders();
  std::filesystem::remove_all(folder + "/test");
  TrainOptions o;
  o.data = "folder:" + folder;
  expect_user_error({"no folder test"}, [&] { load_training_data(o); });
  const auto data = load_training_data(o, false);
  EXPECT_EQ(data.train.count(), 8);
  EXPECT_EQ(data.test.count(), 0);
  std::filesystem::remove_all(folder);
}

TEST(Samples, RefuseMissingAndWrongLabels) {
  data::Dataset set;
  set.name = "made up";
  set.channels = set.height = set.width = 1;
  set.images = {0, 1};
  set.classes = {"a", "b"};
  expect_user_error({"made up", "2 images but 0 labels"}, [&] { to_samples(set); });
  set.labels = {0, 2};
  expect_user_error({"made up", "image 1 has label 2", "from 0 to 1"}, [&] { to_samples(set); });
  set.labels = {0, 1};
  EXPECT_EQ(to_samples(set).count(), 2);
}

}  // namespace
}  // namespace velum::train
