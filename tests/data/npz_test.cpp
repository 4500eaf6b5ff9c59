#include "data/npz.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "data/make_files.h"
#include "data/npy.h"

namespace velum::data {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::Members;
using testing::TempFolder;

Members medmnist(const std::string& type = "|u1") {
  Members members;
  std::uint8_t top = 0;
  for (const std::string part : {"train", "val", "test"}) {
    members.emplace_back(part + "_images.npy", testing::npy(type, "(4, 3, 3)", testing::ramp(36, 5, top)));
    members.emplace_back(part + "_labels.npy", testing::npy("|u1", "(4, 1)", Bytes{0, 1, 0, ++top}));
  }
  return members;
}

TEST(MedMnist, StoredAndDeflatedAreTheSame) {
  TempFolder folder;
  const auto stored = folder.write("xmnist.npz", testing::zip(medmnist(), false));
  const auto deflated = folder.write("ymnist.npz", testing::zip(medmnist(), true));
  LoadOptions options;
  for (const auto split : {Split::train, Split::validation, Split::test}) {
    options.split = split;
    const auto a = load("medmnist:" + stored, options), b = load("medmnist:" + deflated, options);
    EXPECT_EQ(a.images, b.images);
    EXPECT_EQ(a.labels, b.labels);
    ASSERT_EQ(a.count(), 4u);
    EXPECT_EQ(a.name, "xmnist");
    EXPECT_EQ(a.classes.size(), 4u);  // over all splits: the test split alone has label 3
    const auto start = split == Split::train ? 0u : split == Split::validation ? 1u : 2u;
    EXPECT_FLOAT_EQ(a.images[2], static_cast<float>(10 + start) / 255);
  }
  options.limit = 2;
  const auto two = load("medmnist:" + stored, options);
  EXPECT_EQ(two.count(), 2u);
  EXPECT_EQ(two.labels.size(), 2u);
}

TEST(MedMnist, ColourIsBroughtToPlanes) {
  TempFolder folder;
  const auto values = testing::ramp(2 * 3 * 3 * 3);
  const auto path =
      folder.write("c.npz", testing::zip({{"test_images.npy", testing::npy("|u1", "(2, 3, 3, 3)", values)},
                                          {"test_labels.npy", testing::npy("|u1", "(2, 1)", Bytes{0, 1})}},
                                         true));
  const auto set = load("medmnist:" + path, {});
  EXPECT_EQ(set.channels, 3);
  EXPECT_FLOAT_EQ(set.images[27 + 2 * 9 + 4], static_cast<float>(values[27 + 4 * 3 + 2]) / 255);
}

TEST(MedMnist, MissingArraysAreNamed) {
  TempFolder folder;
  auto members = medmnist();
  members.pop_back();
  const auto path = folder.write("x.npz", testing::zip(members, true));
  expect_user_error({"no array test_labels", "train_images.npy"}, [&] { load("medmnist:" + path, {}); });
  members = medmnist();
  members.back().second = testing::npy("|u1", "(3, 1)", Bytes{0, 1, 0});
  expect_user_error({"4 images", "3 labels"},
                    [&] { load("medmnist:" + folder.write("x.npz", testing::zip(members, true)), {}); });
}

TEST(Npz, EveryTruncationIsRefused) {
  for (const bool deflated : {false, true}) {
    const auto file = testing::zip({{"a.npy", testing::npy("|u1", "(6,)", testing::ramp(6))}}, deflated);
    for (std::size_t n = 0; n < file.size(); ++n)
      expect_user_error({"f"}, [&] {
        for (const auto& member : list_zip(source_of(std::span(file).first(n)), "f")) unpack_npy(member, "f");
      });
  }
}

// Whatever bit is flipped, the array is refused or comes out unharmed (unused fields, a name).
TEST(Npz, NoFlippedBitIsMisread) {
  const auto contents = testing::npy("|u1", "(6,)", testing::ramp(6));
  for (const bool deflated : {false, true}) {
    const auto file = testing::zip({{"a.npy", contents}}, deflated);
    for (std::size_t at = 0; at < file.size(); ++at)
      for (int bit = 0; bit < 8; ++bit) {
        auto bad = file;
        bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
        try {
          for (const auto& member : list_zip(source_of(bad), "f"))
            EXPECT_EQ(unpack_npy(member, "f"), contents) << at;
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::user) << error.what();
        }
      }
  }
}

TEST(Npz, AWrongChecksumIsSeen) {
  auto file = testing::zip({{"a.npy", testing::npy("|u1", "(6,)", testing::ramp(6))}}, false);
  file[30 + 5 + 128 + 2] ^= 1;  // a value of the array, behind the local and the NumPy header
  expect_user_error({"f(a.npy)", "checksum"}, [&] { unpack_npy(list_zip(source_of(file), "f").at(0), "f"); });
}

TEST(Npz, SizesThatDisagreeAreRefusedBeforeInflation) {
  // An announced size that the NumPy header does not confirm.
  const auto bomb = testing::npy("|u1", "(6,)", Bytes(std::size_t{1} << 22));
  const auto file = testing::zip({{"a.npy", bomb}}, true);
  expect_user_error({"4194432 bytes announced", "134 by the NumPy header"},
                    [&] { unpack_npy(list_zip(source_of(file), "f").at(0), "f"); });
  // One that it does confirm, with too few compressed bytes behind it.
  auto huge = testing::zip({{"a.npy", testing::npy("|u1", "(3000000000,)", testing::ramp(6))}}, true);
  for (std::size_t at = 0; at + 28 <= huge.size(); ++at)
    if (huge[at] == 'P' && huge[at + 1] == 'K' && huge[at + 2] == 1) {
      Bytes size;
      testing::append_little(size, 3000000128u, 4);
      std::copy(size.begin(), size.end(), huge.begin() + static_cast<std::ptrdiff_t>(at) + 24);
    }
  expect_user_error({"cannot hold them"}, [&] { unpack_npy(list_zip(source_of(huge), "f").at(0), "f"); });
}

TEST(Npz, OtherFilesAreRefused) {
  const auto ramp = testing::ramp(5000);
  expect_user_error({"f: not a NumPy archive"}, [&] { list_zip(source_of(ramp), "f"); });
  expect_user_error({"f: not a NumPy archive"}, [&] { list_zip(source_of(Bytes{}), "f"); });
  auto method = testing::zip({{"a.npy", testing::ramp(6)}}, false);
  for (std::size_t at = 0; at + 12 <= method.size(); ++at)
    if (method[at] == 'P' && method[at + 1] == 'K' && method[at + 2] == 1) method[at + 10] = 14;
  expect_user_error({"method 14", "savez_compressed"}, [&] { list_zip(source_of(method), "f"); });
}

TEST(Npz, BytesBehindTheArchiveAreRefused) {
  auto file = testing::zip({{"a.npy", testing::npy("|u1", "(6,)", testing::ramp(6))}}, true);
  file.push_back(7);
  expect_user_error({"1 bytes follow the end of the archive"}, [&] { list_zip(source_of(file), "f"); });
}

// The announced sizes stand in a block of their own where they exceed 4 GiB, or where the writer says so
// (NumPy does for every member).
TEST(Npz, Zip64IsRead) {
  for (const bool deflated : {false, true}) {
    const auto contents = testing::npy("|u1", "(6,)", testing::ramp(6));
    const auto file = testing::zip({{"a.npy", contents}, {"b.npy", contents}}, deflated, true);
    const auto members = list_zip(source_of(file), "f");
    ASSERT_EQ(members.size(), 2u);
    for (const auto& member : members) EXPECT_EQ(unpack_npy(member, "f"), contents);
    for (std::size_t n = 0; n < file.size(); ++n)
      expect_user_error({"f"}, [&] { list_zip(source_of(std::span(file).first(n)), "f"); });
  }
}

// Another split may be larger than the memory, or damaged: it is not looked at.
TEST(MedMnist, OnlyTheSplitAskedForIsRead) {
  TempFolder folder;
  auto members = medmnist();
  members[0].second = testing::npy("|u1", "(4000000000, 3, 3)", Bytes{});
  const auto path = folder.write("x.npz", testing::zip(members, false));
  EXPECT_EQ(load("medmnist:" + path, {}).count(), 4u);
  LoadOptions options;
  options.split = Split::train;
  expect_user_error({"train_images"}, [&] { load("medmnist:" + path, options); });
}

}  // namespace
}  // namespace velum::data
