#include "data/npy.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/temp_folder.h"
#include "data/make_files.h"

namespace velum::data {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::npy_of;
using testing::TempFolder;

TEST(Npy, ReadsEveryTypeAndBothVersions) {
  for (const int version : {1, 2}) {
    const auto check = [&](const Bytes& file, NpyType type) {
      const auto array = read_npy(file, "f");
      EXPECT_EQ(array.type, type);
      EXPECT_EQ(array.shape, (std::vector<std::uint64_t>{2, 3}));
      for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(array.at(i), static_cast<double>(i));
    };
    check(npy_of<std::uint8_t>("|u1", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::uint8);
    check(npy_of<std::int32_t>("<i4", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::int32);
    check(npy_of<std::int64_t>("<i8", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::int64);
    check(npy_of<float>("<f4", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::float32);
    check(npy_of<double>("<f8", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::float64);
  }
}

TEST(Npy, EveryTruncationIsRefused) {
  const auto file = npy_of<float>("<f4", "(2, 3)", {0, 1, 2, 3, 4, 5});
  for (std::size_t n = 0; n < file.size(); ++n)
    expect_user_error({"f: "}, [&] { read_npy(std::span(file).first(n), "f"); });
  auto longer = file;
  longer.push_back(0);
  expect_user_error({"oversized"}, [&] { read_npy(longer, "f"); });
}

// A flip in the header is refused, or lands where nothing is read (padding blanks, the minor version).
TEST(Npy, NoFlippedBitOfAHeaderIsMisread) {
  const auto file = npy_of<std::uint8_t>("|u1", "(2, 3)", {0, 1, 2, 3, 4, 5});
  for (std::size_t at = 0; at + 6 < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = file;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
      try {
        const auto array = read_npy(bad, "f");
        EXPECT_EQ(array.count, 6u);
        EXPECT_EQ(array.at(5), 5.0);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::user);
      }
    }
}

TEST(Npy, UnreadableArraysSayWhy) {
  const Bytes none;
  expect_user_error({"\">f4\"", "astype"}, [&] { read_npy(testing::npy(">f4", "(0,)", none), "f"); });
  expect_user_error({"\"|O\""}, [&] { read_npy(testing::npy("|O", "(0,)", none), "f"); });
  expect_user_error({"version 3"}, [&] { read_npy(testing::npy("|u1", "(0,)", none, 3), "f"); });
  expect_user_error({"not a NumPy array"}, [&] { read_npy(testing::ramp(100), "f"); });
  expect_user_error({"too large"},
                    [&] { read_npy(testing::npy("|u1", "(1000000000, 1000000000)", none), "f"); });
  expect_user_error({"too large"},
                    [&] { read_npy(testing::npy("|u1", "(99999999999999999999999,)", none), "f"); });
  expect_user_error({"more than 8 dimensions"},
                    [&] { read_npy(testing::npy("|u1", "(1,1,1,1,1,1,1,1,1)", none), "f"); });
  expect_user_error({"truncated", "(100000, 28, 28)"},
                    [&] { read_npy(testing::npy("|u1", "(100000, 28, 28)", none), "f"); });
  auto fortran = testing::npy("|u1", "(1,)", Bytes{1});
  const std::string before = "False", after = "True ";
  const auto at = std::search(fortran.begin(), fortran.end(), before.begin(), before.end());
  std::copy(after.begin(), after.end(), at);
  expect_user_error({"Fortran", "ascontiguousarray"}, [&] { read_npy(fortran, "f"); });
}

TEST(Npy, BytesAreDividedBy255) {
  TempFolder folder;
  const auto values = testing::ramp(2 * 12);
  const auto images = folder.write("x.npy", testing::npy("|u1", "(2, 3, 4)", values));
  const auto labels = folder.write("y.npy", npy_of<std::int64_t>("<i8", "(2, 1)", {4, 1}));
  const auto set = load("npy:" + images + "," + labels, {});
  ASSERT_EQ(set.count(), 2u);
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.height, 3);
  EXPECT_EQ(set.width, 4);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_FLOAT_EQ(set.images[i], static_cast<float>(values[i]) / 255);
  EXPECT_EQ(set.labels, (std::vector<std::int32_t>{4, 1}));
  EXPECT_EQ(set.classes.size(), 5u);
  EXPECT_TRUE(load("npy:" + images, {}).labels.empty());
}

TEST(Npy, AxesAreRecognised) {
  TempFolder folder;
  const auto values = testing::ramp(2 * 3 * 4 * 5);
  const auto first = load("npy:" + folder.write("a.npy", testing::npy("|u1", "(2, 3, 4, 5)", values)), {});
  EXPECT_EQ(first.channels, 3);
  EXPECT_EQ(first.height, 4);
  const auto last = load("npy:" + folder.write("b.npy", testing::npy("|u1", "(2, 4, 5, 3)", values)), {});
  EXPECT_EQ(last.channels, 3);
  EXPECT_EQ(last.height, 4);
  EXPECT_EQ(last.width, 5);
  // image 1, channel 2, row 3, column 4
  EXPECT_FLOAT_EQ(first.images[((1 * 3 + 2) * 4 + 3) * 5 + 4],
                  static_cast<float>(values[((1 * 3 + 2) * 4 + 3) * 5 + 4]) / 255);
  EXPECT_FLOAT_EQ(last.images[((1 * 3 + 2) * 4 + 3) * 5 + 4],
                  static_cast<float>(values[((1 * 4 + 3) * 5 + 4) * 3 + 2]) / 255);
  const auto flat = load("npy:" + folder.write("c.npy", testing::npy("|u1", "(2, 60)", values)), {});
  EXPECT_EQ(flat.elements(), 60u);
  expect_user_error({"(120)"},
                    [&] { load("npy:" + folder.write("d.npy", testing::npy("|u1", "(120,)", values)), {}); });
  expect_user_error({"(0, 3, 4)"}, [&] {
    load("npy:" + folder.write("e.npy", testing::npy("|u1", "(0, 3, 4)", Bytes{})), {});
  });
}

TEST(Npy, PixelsOutOfRangeAreNamed) {
  TempFolder folder;
  const auto refused = [&](const Bytes& file, const std::vector<std::string>& parts) {
    const auto path = folder.write("x.npy", file);
    expect_user_error(parts, [&] { load("npy:" + path, {}); });
  };
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  refused(npy_of<float>("<f4", "(2, 1, 2)", {0, 1, 0.5f, 1.5f}),
          {"image 1 holds 1.5 at element 1", "0 to 1"});
  refused(npy_of<float>("<f4", "(2, 1, 2)", {0, 1, nan, 1}), {"image 1 holds nan at element 0"});
  refused(npy_of<float>("<f4", "(2, 1, 2)", {0, infinity, 0, 1}), {"image 0 holds inf"});
  refused(npy_of<float>("<f4", "(2, 1, 2)", {-0.25f, 1, 0, 1}), {"image 0 holds -0.25"});
  refused(npy_of<std::int32_t>("<i4", "(2, 1, 2)", {0, 255, 256, 1}), {"image 1 holds 256", "0 to 255"});
  refused(npy_of<std::int64_t>("<i8", "(2, 1, 2)", {0, -1, 25, 1}), {"image 0 holds -1"});
  const auto path = folder.write("x.npy", npy_of<float>("<f4", "(2, 1, 2)", {0, 1, 0.5f, 0.25f}));
  EXPECT_EQ(load("npy:" + path, {}).images, (std::vector<float>{0, 1, 0.5f, 0.25f}));
}

TEST(Npy, LabelsAreChecked) {
  TempFolder folder;
  const auto images = folder.write("x.npy", testing::npy("|u1", "(2, 3, 4)", testing::ramp(24)));
  const auto refused = [&](const Bytes& file, const std::vector<std::string>& parts) {
    const auto path = folder.write("y.npy", file);
    expect_user_error(parts, [&] { load("npy:" + images + "," + path, {}); });
  };
  refused(npy_of<std::int64_t>("<i8", "(3,)", {0, 1, 2}), {"2 images", "3 labels"});
  refused(npy_of<std::int64_t>("<i8", "(2,)", {0, -1}), {"label 1 is -1"});
  refused(npy_of<std::int64_t>("<i8", "(2,)", {0, std::int64_t{1} << 40}), {"label 1 is 1099511627776"});
  refused(npy_of<float>("<f4", "(2,)", {0.5f, 1}), {"label 0 is 0.5"});
  refused(npy_of<std::int64_t>("<i8", "(2, 2)", {0, 1, 1, 0}), {"(2, 2)", "one class an image"});
  expect_user_error({"absent.npy", "cannot be opened"},
                    [&] { load("npy:" + images + "," + folder.path() + "/absent.npy", {}); });
}

}  // namespace
}  // namespace velum::data
