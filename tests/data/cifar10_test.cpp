#include "data/cifar10.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "data/make_files.h"

namespace velum::data {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::TempFolder;

// `count` records; record i has label (first + i) mod 10 and all pixels (first + i) mod 256.
Bytes records(std::size_t first, std::size_t count) {
  Bytes out;
  for (std::size_t i = first; i < first + count; ++i) {
    out.push_back(static_cast<std::uint8_t>(i % 10));
    out.insert(out.end(), kCifarPixels, static_cast<std::uint8_t>(i % 256));
  }
  return out;
}

void write_training(const TempFolder& folder, const std::string& below, std::size_t each) {
  for (std::size_t b = 0; b < 5; ++b)
    folder.write(below + "data_batch_" + std::to_string(b + 1) + ".bin", records(b * each, each));
}

TEST(Cifar10, ReadsBothFolderForms) {
  TempFolder folder;
  folder.write("test_batch.bin", records(0, 7));
  const auto set = load("cifar10:" + folder.path(), {});
  ASSERT_EQ(set.count(), 7u);
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.width, 32);
  EXPECT_EQ(set.labels[6], 6);
  EXPECT_EQ(set.classes[6], "frog");
  EXPECT_FLOAT_EQ(set.images[6 * kCifarPixels], 6.0f / 255);
  TempFolder outer;
  outer.write("cifar-10-batches-bin/test_batch.bin", records(0, 7));
  EXPECT_EQ(load("cifar10:" + outer.path(), {}).images, set.images);
}

TEST(Cifar10, ValidationIsTheEndOfTheFiveBatches) {
  TempFolder folder;
  write_training(folder, "", 20);
  LoadOptions options;
  options.split = Split::train;
  const auto train = load("cifar10:" + folder.path(), options);
  ASSERT_EQ(train.count(), 90u);
  for (std::size_t i = 0; i < 90; ++i) {
    EXPECT_EQ(train.labels[i], static_cast<int>(i % 10));
    EXPECT_FLOAT_EQ(train.images[i * kCifarPixels + 5], static_cast<float>(i) / 255);
  }
  options.split = Split::validation;
  const auto validation = load("cifar10:" + folder.path(), options);
  ASSERT_EQ(validation.count(), 10u);
  EXPECT_FLOAT_EQ(validation.images[0], 90.0f / 255);
  options.limit = 3;
  EXPECT_EQ(load("cifar10:" + folder.path(), options).count(), 3u);
}

TEST(Cifar10, BadFilesAreNamed) {
  TempFolder folder;
  expect_user_error({"test_batch.bin", folder.path()}, [&] { load("cifar10:" + folder.path(), {}); });
  auto bytes = records(0, 3);
  bytes.pop_back();
  folder.write("test_batch.bin", bytes);
  expect_user_error({"test_batch.bin: 9218 bytes", "3073"}, [&] { load("cifar10:" + folder.path(), {}); });
  folder.write("test_batch.bin", Bytes{});
  expect_user_error({"0 bytes"}, [&] { load("cifar10:" + folder.path(), {}); });
  bytes = records(0, 3);
  bytes[kCifarRecord] = 10;
  folder.write("test_batch.bin", bytes);
  expect_user_error({"record 1 has label 10"}, [&] { load("cifar10:" + folder.path(), {}); });
}

TEST(Cifar10, AMissingBatchIsNamed) {
  TempFolder folder;
  write_training(folder, "", 2);
  std::filesystem::remove(folder / "data_batch_4.bin");
  LoadOptions options;
  options.split = Split::train;
  expect_user_error({"data_batch_4.bin"}, [&] { load("cifar10:" + folder.path(), options); });
}

}  // namespace
}  // namespace velum::data
