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
  ASSERT_EQ(set.notes.size(), 3u);
  EXPECT_NE(set.notes[0].find("1 file of other kinds left out (1 .txt)"), std::string::npos) << set.notes[0];
  EXPECT_NE(set.notes[1].find(path), std::string::npos);
  EXPECT_NE(set.notes[2].find("1 of 3 images are RGB"), std::string::npos) << set.notes[2];
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
  expect_user_error({"test/fox", "no image"}, [&] { load("folder:" + folder.path(), {}); });
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

std::string note_with(const Dataset& set, const std::string& part) {
  for (const auto& note : set.notes)
    if (note.find(part) != std::string::npos) return note;
  return "";
}

TEST(Folder, ImagesInDeeperFoldersAreRead) {
  TempFolder folder;
  folder.write("x/top.png", grey(10));
  folder.write("x/patient2/a/1.png", grey(30));
  folder.write("x/patient1/2.png", grey(20));
  folder.write("y/patient3/1.png", grey(40));
  const auto set = load("folder:" + folder.path(), {});
  EXPECT_EQ(set.labels, (std::vector<std::int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(set.files, (std::vector<std::string>{"x/top.png", "x/patient1/2.png", "x/patient2/a/1.png",
                                                 "y/patient3/1.png"}));
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(set.images[i * 64], (10 + 10 * static_cast<double>(i)) / 255, 1e-6);
}

TEST(Folder, SplitsAreKnownInAnyCaseAndByTheirUsualNames) {
  for (const auto& [train, validation, test] : {std::tuple{"Training", "Valid", "Testing"},
                                                {"TRAIN", "VALIDATION", "TEST"},
                                                {"Train", "Val", "Test"}}) {
    TempFolder folder;
    folder.write(fmt::format("{}/a/1.png", train), grey(10));
    folder.write(fmt::format("{}/a/1.png", validation), grey(20));
    folder.write(fmt::format("{}/a/1.png", test), grey(30));
    double expected = 0;
    for (const auto split : {Split::train, Split::validation, Split::test}) {
      LoadOptions options;
      options.split = split;
      const auto set = load("folder:" + folder.path(), options);
      EXPECT_FALSE(set.undivided);
      EXPECT_NEAR(set.images[0], (expected += 10) / 255, 1e-6) << test;
    }
    folder.write("train/a/1.png", grey(10));
    folder.write("training/a/1.png", grey(10));
    LoadOptions options;
    options.split = Split::train;
    expect_user_error({"both folders of train images"}, [&] { load("folder:" + folder.path(), options); });
  }
}

TEST(Folder, WithoutClassesHasNoLabels) {
  TempFolder folder;
  folder.write("b.png", grey(20));
  folder.write("a.png", grey(10));
  folder.write("__MACOSX/a.png", Bytes{1});
  folder.write("._a.png", Bytes{1});
  folder.write("Thumbs.db", Bytes{1});
  const auto set = load("folder:" + folder.path(), {});
  EXPECT_EQ(set.count(), 2u);
  EXPECT_TRUE(set.labels.empty());
  EXPECT_TRUE(set.classes.empty());
  EXPECT_TRUE(set.notes.empty());
  EXPECT_EQ(set.files, (std::vector<std::string>{"a.png", "b.png"}));
  // Beside class folders they would have no class.
  folder.write("c/1.png", grey(30));
  const auto classes = load("folder:" + folder.path(), {});
  EXPECT_EQ(classes.count(), 1u);
  EXPECT_NE(note_with(classes, "2 images beside the class folders are left out"), "");
}

TEST(Folder, WhatIsLeftOutIsCounted) {
  TempFolder folder;
  folder.write("x/1.png", grey(10));
  folder.write("x/scan", grey(20));  // an image by its first bytes
  folder.write("x/1.gif", Bytes{1});
  folder.write("x/deep/2.GIF", Bytes{1});
  folder.write("x/list.csv", Bytes{1});
  folder.write("x/README", Bytes{1});
  const auto set = load("folder:" + folder.path(), {});
  EXPECT_EQ(set.count(), 2u);
  EXPECT_NE(note_with(set, "4 files of other kinds left out (1 without an ending, 1 .csv, 2 .gif)"), "")
      << set.notes.size();
}

TEST(Folder, BrokenLinksAndLoopsAreNamed) {
  TempFolder folder;
  folder.write("x/1.png", grey(10));
  std::filesystem::create_symlink("nowhere.png", folder / "x/2.png");
  expect_user_error({"x/2.png", "leads nowhere", "--skip-bad"}, [&] { load("folder:" + folder.path(), {}); });
  LoadOptions skip;
  skip.skip_bad = true;
  EXPECT_NE(note_with(load("folder:" + folder.path(), skip), "x/2.png"), "");
  std::filesystem::remove(folder / "x/2.png");
  std::filesystem::create_symlink("self", folder / "x/self");
  expect_user_error({"x/self", "--skip-bad"}, [&] { load("folder:" + folder.path(), {}); });
  std::filesystem::remove(folder / "x/self");
  std::filesystem::create_directory_symlink("..", folder / "x/up");
  expect_user_error({"x/up", "a link back to a folder"}, [&] { load("folder:" + folder.path(), {}); });
  EXPECT_EQ(load("folder:" + folder.path(), skip).count(), 1u);
}

TEST(Folder, TransparencyAndOrientationAreNoted) {
  TempFolder folder;
  folder.write("x/1.png", testing::raw_png(6, 8, 1, 2, Bytes{200, 200, 200, 0, 10, 10, 10, 255}));
  folder.write("x/2.png", testing::raw_png(2, 8, 1, 2, Bytes{1, 1, 1, 2, 2, 2},
                                           {{"eXIf", testing::exif_orientation(2, true)}}));
  LoadOptions options;
  options.channels = 1;
  const auto set = load("folder:" + folder.path(), options);
  EXPECT_NEAR(set.images[0], 200.0 / 255, 1e-6);
  EXPECT_NEAR(set.images[2], 2.0 / 255, 1e-6);  // mirrored
  EXPECT_NE(note_with(set, "1 of 2 images have transparency, which is dropped"), "");
  EXPECT_NE(note_with(set, "1 of 2 images are turned upright"), "");
  options.ignore_exif = true;
  const auto stored = load("folder:" + folder.path(), options);
  EXPECT_NEAR(stored.images[2], 1.0 / 255, 1e-6);
  EXPECT_NE(note_with(stored, "read as they lie"), "");
}

}  // namespace
}  // namespace velum::data
