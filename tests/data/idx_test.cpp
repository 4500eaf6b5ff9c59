#include "data/idx.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "data/make_files.h"

namespace velum::data {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::TempFolder;

constexpr std::size_t kSide = 4;

void write_mnist(const TempFolder& folder, const std::string& part, std::uint32_t count, bool packed) {
  const auto pack = [&](const Bytes& b) { return packed ? testing::gzip(b) : b; };
  const std::string end = packed ? ".gz" : "";
  folder.write(part + "-images-idx3-ubyte" + end,
               pack(testing::idx({count, kSide, kSide}, testing::ramp(count * kSide * kSide))));
  folder.write(part + "-labels-idx1-ubyte" + end,
               pack(testing::idx({count}, testing::ramp(count, 1, 0, 10))));
}

TEST(Mnist, PlainAndGzipAreTheSame) {
  TempFolder plain, packed;
  write_mnist(plain, "t10k", 30, false);
  write_mnist(packed, "t10k", 30, true);
  const auto a = load("mnist:" + plain.path(), {}), b = load("mnist:" + packed.path(), {});
  ASSERT_EQ(a.count(), 30u);
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.labels, b.labels);
  const auto values = testing::ramp(30 * kSide * kSide);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_FLOAT_EQ(a.images[i], static_cast<float>(values[i]) / 255);
  EXPECT_EQ(a.labels[13], 3);
  EXPECT_EQ(a.height, 4);
}

TEST(Mnist, ValidationIsTheEndOfTraining) {
  TempFolder folder;
  write_mnist(folder, "train", 100, true);
  LoadOptions options;
  options.split = Split::train;
  const auto train = load("mnist:" + folder.path(), options);
  options.split = Split::validation;
  const auto validation = load("mnist:" + folder.path(), options);
  EXPECT_EQ(train.count(), 90u);  // of a small file a tenth is held out, of the official one 5,000
  EXPECT_EQ(validation.count(), 10u);
  EXPECT_FLOAT_EQ(validation.images[0], static_cast<float>(testing::ramp(2000)[90 * 16]) / 255);
  options.limit = 4;
  EXPECT_EQ(load("mnist:" + folder.path(), options).count(), 4u);
}

TEST(Mnist, MissingFilesAreNamed) {
  TempFolder folder;
  expect_user_error({"t10k-images-idx3-ubyte", folder.path()}, [&] { load("mnist:" + folder.path(), {}); });
  write_mnist(folder, "t10k", 5, false);
  LoadOptions options;
  options.split = Split::train;
  expect_user_error({"train-images"}, [&] { load("mnist:" + folder.path(), options); });
}

TEST(Mnist, CountsMustAgree) {
  TempFolder folder;
  write_mnist(folder, "t10k", 6, false);
  folder.write("t10k-labels-idx1-ubyte", testing::idx({5}, testing::ramp(5, 1, 0, 10)));
  expect_user_error({"6 images", "5 labels"}, [&] { load("mnist:" + folder.path(), {}); });
}

TEST(Mnist, LabelsAreDigits) {
  TempFolder folder;
  write_mnist(folder, "t10k", 6, false);
  folder.write("t10k-labels-idx1-ubyte", testing::idx({6}, Bytes{1, 2, 3, 10, 4, 5}));
  expect_user_error({"label 3 is 10", "0 to 9"}, [&] { load("mnist:" + folder.path(), {}); });
}

TEST(Idx, EveryTruncationIsRefused) {
  const auto plain = testing::idx({5, 3, 2}, testing::ramp(30));
  EXPECT_EQ(read_idx(source_of(plain), 3, "f").values.size(), 30u);
  for (const auto& file : {plain, testing::gzip(plain)})
    for (std::size_t n = 0; n < file.size(); ++n)
      expect_user_error({"f: "}, [&] { read_idx(source_of(std::span(file).first(n)), 3, "f"); });
}

TEST(Idx, EveryFlippedBitOfAHeaderIsRefused) {
  const auto file = testing::idx({5, 3, 2}, testing::ramp(30));
  for (std::size_t at = 0; at < 16; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = file;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
      expect_user_error({"f: "}, [&] { read_idx(source_of(bad), 3, "f"); });
    }
}

// Gzip has a checksum: what is not refused (a flip in its time field, in the unused bits of the last byte)
// changes nothing.
TEST(Idx, EveryFlippedBitOfAGzipFileIsRefusedOrHarmless) {
  const auto plain = testing::idx({5, 3, 2}, testing::ramp(30));
  const auto file = testing::gzip(plain);
  for (std::size_t at = 0; at < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = file;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
      try {
        EXPECT_EQ(read_idx(source_of(bad), 3, "f").values, testing::ramp(30));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::user);
      }
    }
}

TEST(Idx, WrongMagicTypeAndRank) {
  const auto values = testing::ramp(30);
  expect_user_error({"f: not an IDX file"},
                    [&] { read_idx(source_of(testing::png(1, 5, 6, values)), 3, "f"); });
  auto floats = testing::idx({5, 3, 2}, values);
  floats[2] = 0x0d;
  expect_user_error({"0d", "00 00 08 expected"}, [&] { read_idx(source_of(floats), 3, "f"); });
  expect_user_error({"1 dimensions, 3 expected", "interchanged"},
                    [&] { read_idx(source_of(testing::idx({30}, values)), 3, "f"); });
  expect_user_error({"dimension 1 is 0"}, [&] {
    read_idx(source_of(testing::idx({5, 0, 2}, values)), 3, "f");
  });
}

// Sizes are compared with the bytes there are before memory is taken for them.
TEST(Idx, OversizedDimensionsAllocateNothing) {
  const auto values = testing::ramp(30);
  expect_user_error({"too large"}, [&] {
    read_idx(source_of(testing::idx({0xffffffff, 0xffffffff, 2}, values)), 3, "f");
  });
  expect_user_error({"truncated"}, [&] {
    read_idx(source_of(testing::idx({1u << 30, 4, 2}, values)), 3, "f");
  });
  expect_user_error({"cannot hold them"}, [&] {
    read_idx(source_of(testing::gzip(testing::idx({1u << 30, 4, 2}, values))), 3, "f");
  });
  // A bomb that inflates to more than its header says is stopped there.
  auto bomb = testing::idx({5, 3, 2}, Bytes(std::size_t{1} << 20));
  expect_user_error({"oversized", "46 bytes"}, [&] { read_idx(source_of(testing::gzip(bomb)), 3, "f"); });
  expect_user_error({"oversized"}, [&] { read_idx(source_of(bomb), 3, "f"); });
}

// As `gzip -c a b` and pigz write them.
TEST(Idx, GzipMembersAreJoinedAndBytesBehindThemRefused) {
  const auto file = testing::idx({5, 3, 2}, testing::ramp(30));
  auto packed = testing::gzip(std::span(file).first(20));
  testing::append(packed, testing::gzip(std::span(file).subspan(20)));
  EXPECT_EQ(read_idx(source_of(packed), 3, "f").values, testing::ramp(30));
  packed.push_back(0);
  expect_user_error({"1 bytes follow the end of the compressed data"},
                    [&] { read_idx(source_of(packed), 3, "f"); });
}

TEST(Mnist, MemoryIsCountedBeforeItIsTaken) {
  TempFolder folder;
  const auto images = folder.write("t10k-images-idx3-ubyte", testing::idx({1u << 30, 4, 4}, Bytes{}));
  const auto labels = folder.write("t10k-labels-idx1-ubyte", testing::idx({1u << 30}, Bytes{}));
  std::filesystem::resize_file(images, 16 + (std::uint64_t{1} << 34));
  std::filesystem::resize_file(labels, 8 + (std::uint64_t{1} << 30));
  expect_user_error({images, "1073741824 images", "--images"}, [&] { load("mnist:" + folder.path(), {}); });
}

}  // namespace
}  // namespace velum::data
