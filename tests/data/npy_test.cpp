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

NpyHeader header_of(const Bytes& file) {
  return read_npy_header(source_of(file), "f");
}

double value_at(const Bytes& file, const NpyHeader& header, std::size_t i) {
  return item_value(header.type, file.data() + header.begin + i * item_bytes(header.type));
}

TEST(Npy, ReadsEveryTypeAndBothVersions) {
  for (const int version : {1, 2}) {
    const auto check = [&](const Bytes& file, NpyType type) {
      const auto header = header_of(file);
      EXPECT_EQ(header.type, type);
      EXPECT_EQ(header.shape, (std::vector<std::uint64_t>{2, 3}));
      for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(value_at(file, header, i), static_cast<double>(i));
    };
    check(npy_of<std::uint8_t>("|u1", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::uint8);
    check(npy_of<std::uint16_t>("<u2", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::uint16);
    check(npy_of<std::uint32_t>("<u4", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::uint32);
    check(npy_of<std::uint64_t>("<u8", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::uint64);
    check(npy_of<std::int8_t>("|i1", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::int8);
    check(npy_of<std::int16_t>("<i2", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::int16);
    check(npy_of<std::int32_t>("<i4", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::int32);
    check(npy_of<std::int64_t>("<i8", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::int64);
    check(npy_of<float>("<f4", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::float32);
    check(npy_of<double>("<f8", "(2, 3)", {0, 1, 2, 3, 4, 5}, version), NpyType::float64);
  }
}

TEST(Npy, EveryTruncationIsRefused) {
  const auto file = npy_of<float>("<f4", "(2, 3)", {0, 1, 2, 3, 4, 5});
  for (std::size_t n = 0; n < file.size(); ++n)
    expect_user_error({"f: "}, [&] { read_npy_header(source_of(std::span(file).first(n)), "f"); });
  auto longer = file;
  longer.push_back(0);
  expect_user_error({"oversized"}, [&] { header_of(longer); });
}

// A flip in the header is refused, or lands where nothing is read (padding blanks, the minor version).
TEST(Npy, NoFlippedBitOfAHeaderIsMisread) {
  const auto file = npy_of<std::uint8_t>("|u1", "(2, 3)", {0, 1, 2, 3, 4, 5});
  for (std::size_t at = 0; at + 6 < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = file;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
      try {
        const auto header = header_of(bad);
        EXPECT_EQ(header.count, 6u);
        EXPECT_EQ(value_at(bad, header, 5), 5.0);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::user);
      }
    }
}

TEST(Npy, UnreadableArraysSayWhy) {
  const Bytes none;
  expect_user_error({"\">f4\"", "astype"}, [&] { header_of(testing::npy(">f4", "(0,)", none)); });
  expect_user_error({"\"|O\""}, [&] { header_of(testing::npy("|O", "(0,)", none)); });
  expect_user_error({"version 3"}, [&] { header_of(testing::npy("|u1", "(0,)", none, 3)); });
  expect_user_error({"not a NumPy array"}, [&] { header_of(testing::ramp(100)); });
  expect_user_error({"too large"}, [&] { header_of(testing::npy("|u1", "(1000000000, 1000000000)", none)); });
  expect_user_error({"too large"},
                    [&] { header_of(testing::npy("|u1", "(99999999999999999999999,)", none)); });
  expect_user_error({"more than 8 dimensions"},
                    [&] { header_of(testing::npy("|u1", "(1,1,1,1,1,1,1,1,1)", none)); });
  expect_user_error({"truncated", "(100000, 28, 28)"},
                    [&] { header_of(testing::npy("|u1", "(100000, 28, 28)", none)); });
  auto fortran = testing::npy("|u1", "(1,)", Bytes{1});
  const std::string before = "False", after = "True ";
  const auto at = std::search(fortran.begin(), fortran.end(), before.begin(), before.end());
  std::copy(after.begin(), after.end(), at);
  expect_user_error({"Fortran", "ascontiguousarray"}, [&] { header_of(fortran); });
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

// Values of another range than 0 to 1 are what the network takes, if somebody says so.
TEST(Npy, ADeclaredRangeIsTaken) {
  TempFolder folder;
  LoadOptions options;
  options.values = ValueRange{-0.5, 3};
  const auto floats = folder.write("f.npy", npy_of<float>("<f4", "(1, 1, 3)", {-0.5f, 3, 0.375f}));
  EXPECT_EQ(load("npy:" + floats, options).images, (std::vector<float>{0, 1, 0.25f}));
  expect_user_error({"-0.5", "--input-range"}, [&] { load("npy:" + floats, {}); });
  options.values = ValueRange{-0.5, 2};
  expect_user_error({"image 0 holds 3", "-0.5 to 2", "--input-range"},
                    [&] { load("npy:" + floats, options); });
  const auto deep = folder.write("i.npy", npy_of<std::int16_t>("<i2", "(1, 1, 3)", {0, 1024, 4096}));
  options.values = ValueRange{0, 4096};
  EXPECT_EQ(load("npy:" + deep, options).images, (std::vector<float>{0, 0.25f, 1}));
  expect_user_error({"image 0 holds 1024", "--input-range"}, [&] { load("npy:" + deep, {}); });
  // Bytes are 0 to 255 where the range is that of scaled pixels.
  const auto bytes = folder.write("b.npy", npy_of<std::uint8_t>("|u1", "(1, 1, 2)", {51, 255}));
  for (const auto& values : {ValueRange{-1, 1}, ValueRange{0, 1}, ValueRange{0, 255}}) {
    options.values = values;
    const auto set = load("npy:" + bytes, options);
    EXPECT_FLOAT_EQ(set.images[0], 0.2f);
    EXPECT_FLOAT_EQ(set.images[1], 1);
  }
}

TEST(Npy, RowsTakeTheWantedShape) {
  TempFolder folder;
  const auto path = folder.write("x.npy", testing::npy("|u1", "(2, 12)", testing::ramp(24)));
  LoadOptions options;
  options.channels = 3;
  options.height = options.width = 2;
  const auto set = load("npy:" + path, options);
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.count(), 2u);
  EXPECT_FLOAT_EQ(set.images[13], static_cast<float>(testing::ramp(24)[13]) / 255);
  options.height = 3;
  expect_user_error({"1x1x12", "3x3x2"}, [&] { load("npy:" + path, options); });
}

TEST(Npy, PathsMayHoldCommas) {
  TempFolder folder;
  const auto images = folder.write("a,b.npy", testing::npy("|u1", "(2, 3, 4)", testing::ramp(24)));
  const auto labels = folder.write("c,d.npy", npy_of<std::int64_t>("<i8", "(2,)", {1, 0}));
  EXPECT_EQ(load("npy:" + images, {}).count(), 2u);
  EXPECT_EQ(load("npy:" + images + "," + labels, {}).labels, (std::vector<std::int32_t>{1, 0}));
}

// A sparse file of many gigabytes is refused before memory is taken for it.
TEST(Npy, MemoryIsCountedBeforeItIsTaken) {
  TempFolder folder;
  auto file = testing::npy("|u1", "(100000, 1000, 1000)", Bytes{});
  const auto path = folder.write("x.npy", file);
  std::filesystem::resize_file(path, file.size() + 100000000000);
  expect_user_error({path, "100000 images", "--images"}, [&] { load("npy:" + path, {}); });
  LoadOptions options;
  options.limit = 3;
  EXPECT_EQ(load("npy:" + path, options).count(), 3u);
}

}  // namespace
}  // namespace velum::data
