#include "data/folder.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "data/make_files.h"

namespace velum::data {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::TempFolder;

Bytes grey(std::uint8_t value, std::size_t side = 8) {
  return testing::png(1, side, side, Bytes(side * side, value));
}

void write_set(const TempFolder& folder) {
  folder.write("train/cat/1.png", grey(10));
  folder.write("train/dog/1.png", grey(20));
  folder.write("train/emu/1.png", grey(30));
  folder.write("val/dog/1.png", grey(40));
  folder.write("test/dog/b.png", grey(60));
  folder.write("test/dog/a.JPG", testing::jpeg(1, 8, 8, Bytes(64, 50)));
  folder.write("test/emu/c.jpeg", testing::jpeg(3, 16, 16, Bytes(768, 70)));
  folder.write("test/emu/notes.txt", Bytes{1});
}

TEST(Folder, SplitsShareTheirLabels) {
  TempFolder folder;
  write_set(folder);
  LoadOptions options;
  options.channels = 1;
  options.height = options.width = 4;
  const auto test = load("folder:" + folder.path(), options);
  EXPECT_EQ(test.classes, (std::vector<std::string>{"cat", "dog", "emu"}));
  EXPECT_EQ(test.labels, (std::vector<std::int32_t>{1, 1, 2}));  // test has no cat
  ASSERT_EQ(test.count(), 3u);
  EXPECT_NEAR(test.images[0], 50.0 / 255, 0.01);  // a before b
  EXPECT_NEAR(test.images[16], 60.0 / 255, 1e-5);
  EXPECT_NEAR(test.images[32], 70.0 / 255, 0.01);
  options.split = Split::validation;
  EXPECT_EQ(load("folder:" + folder.path(), options).labels, std::vector<std::int32_t>{1});
  options.split = Split::train;
  EXPECT_EQ(load("folder:" + folder.path(), options).count(), 3u);
}

TEST(Folder, WithoutSplitsIsOneSplit) {
  TempFolder folder;
  folder.write("x/1.png", grey(10));
  folder.write("y/1.png", grey(20, 6));
  const auto set = load("folder:" + folder.path(), {});
  EXPECT_EQ(set.count(), 2u);
  EXPECT_TRUE(set.undivided);
  EXPECT_EQ(set.height, 8);  // of the first image, where none is asked for
  LoadOptions options;
  options.channels = 3;
  const auto colour = load("folder:" + folder.path(), options);
  EXPECT_EQ(colour.channels, 3);
  EXPECT_NEAR(colour.images[191], 10.0 / 255, 1e-5);
}

TEST(Folder, MixedImagesAreReadAlikeAndNamed) {
  TempFolder folder;
  folder.write("x/1.png", grey(10));
  folder.write("x/2.png", grey(20));
  folder.write("y/1.png", velum::testing::png(3, 8, 8, std::vector<std::uint8_t>(192, 40)));
  const auto set = load("folder:" + folder.path(), {});
  EXPECT_EQ(set.channels, 1);  // as the first
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_NE(set.notes[0].find("1 of 3 images are RGB"), std::string::npos) << set.notes[0];
  LoadOptions options;
  options.channels = 3;
  const auto colour = load("folder:" + folder.path(), options);
  ASSERT_EQ(colour.notes.size(), 1u);
  EXPECT_NE(colour.notes[0].find("2 of 3 images are grey"), std::string::npos) << colour.notes[0];
  std::filesystem::remove_all(folder / "y");
  EXPECT_TRUE(load("folder:" + folder.path(), {}).notes.empty());
}

TEST(Folder, ALimitKeepsTheClasses) {
  TempFolder folder;
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < 4; ++i)
      folder.write(fmt::format("c{}/{}.png", c, i), grey(static_cast<std::uint8_t>(10 * c + i)));
  LoadOptions options;
  options.limit = 3;
  EXPECT_EQ(load("folder:" + folder.path(), options).labels, (std::vector<std::int32_t>{0, 1, 2}));
}

TEST(Folder, BadImagesAreNamed) {
  TempFolder folder;
  write_set(folder);
  auto broken = testing::jpeg(1, 64, 64, testing::ramp(4096));
  broken.resize(broken.size() / 2);
  const auto path = folder.write("test/dog/bad.jpg", broken);
  LoadOptions options;
  options.channels = 1;
  options.height = options.width = 4;
  expect_user_error({path, "corrupt JPEG", "--skip-bad"}, [&] { load("folder:" + folder.path(), options); });
  options.skip_bad = true;
  const auto set = load("folder:" + folder.path(), options);
  EXPECT_EQ(set.count(), 3u);
  EXPECT_EQ(set.labels, (std::vector<std::int32_t>{1, 1, 2}));
  EXPECT_NEAR(set.images[16], 60.0 / 255, 1e-5);
  ASSERT_EQ(set.notes.size(), 2u);
  EXPECT_NE(set.notes[0].find(path), std::string::npos);
  EXPECT_NE(set.notes[1].find("1 of 3 images are RGB"), std::string::npos) << set.notes[1];
}

TEST(Folder, NothingReadableIsAnError) {
  TempFolder folder;
  folder.write("x/1.png", Bytes{1, 2, 3});
  LoadOptions options;
  options.skip_bad = true;
  options.channels = 1;
  options.height = options.width = 4;
  expect_user_error({"none of the 1 images", "1.png"}, [&] { load("folder:" + folder.path(), options); });
  options.height.reset();
  expect_user_error({"none of the 1 images", "1.png"}, [&] { load("folder:" + folder.path(), options); });
}

TEST(Folder, EmptyFoldersAreNamed) {
  TempFolder folder;
  expect_user_error({folder.path(), "no class folders"}, [&] { load("folder:" + folder.path(), {}); });
  write_set(folder);
  std::filesystem::create_directories(folder / "test/fox");
  expect_user_error({"test/fox", "no .png"}, [&] { load("folder:" + folder.path(), {}); });
  std::filesystem::remove_all(folder / "test");
  expect_user_error({"no folder test"}, [&] { load("folder:" + folder.path(), {}); });
  expect_user_error({"not a folder"}, [&] { load("folder:" + folder.path() + "/absent", {}); });
}

TEST(Folder, ImpossibleShapesAreRefused) {
  TempFolder folder;
  write_set(folder);
  LoadOptions options;
  options.channels = 2;
  expect_user_error({"2 channels", "1 (grey) or 3 (RGB)"}, [&] { load("folder:" + folder.path(), options); });
  options.channels = 1;
  options.height = 0;
  expect_user_error({"0x"}, [&] { load("folder:" + folder.path(), options); });
}

}  // namespace
}  // namespace velum::data
