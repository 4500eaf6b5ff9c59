#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "data/csv.h"
#include "data/dataset.h"
#include "data/make_files.h"

namespace velum::data {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::TempFolder;

std::string write_text(const TempFolder& folder, const std::string& name, const std::string& text) {
  return folder.write(name, Bytes(text.begin(), text.end()));
}

TempFolder& with_images(TempFolder& folder) {
  for (int i = 1; i <= 3; ++i)
    folder.write(fmt::format("in, side/{}.png", i),
                 testing::png(1, 4, 4, Bytes(16, static_cast<std::uint8_t>(10 * i))));
  return folder;
}

TEST(Csv, FieldsMayHoldAnything) {
  const std::vector<std::string> fields = {"plain", "a,b", "say \"x\"", "two\nlines", ""};
  std::string text;
  for (const auto& field : fields) {
    if (!text.empty()) text += ',';
    text += csv_field(field);
  }
  const auto rows = parse_csv(fmt::format("\xef\xbb\xbf{}\r\n\nx,y", text), "f");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], fields);
  EXPECT_EQ(rows[1], (std::vector<std::string>{"x", "y"}));
  expect_user_error({"f: ", "line 2", "does not close"}, [] { parse_csv("a\n\"b\nc", "f"); });
}

TEST(List, NamesClassesInTextOrder) {
  TempFolder folder;
  const auto list = write_text(with_images(folder), "list.csv",
                               "path,label\n\"in, side/2.png\",sick\n\"in, side/1.png\",healthy\n");
  const auto set = load("list:" + list, {});
  EXPECT_EQ(set.classes, (std::vector<std::string>{"healthy", "sick"}));
  EXPECT_EQ(set.labels, (std::vector<std::int32_t>{1, 0}));
  EXPECT_EQ(set.files, (std::vector<std::string>{"in, side/2.png", "in, side/1.png"}));
  EXPECT_NEAR(set.images[0], 20.0 / 255, 1e-6);
  EXPECT_TRUE(set.named_classes);
  EXPECT_TRUE(set.undivided);
}

TEST(List, NumbersAreLabels) {
  TempFolder folder;
  const auto list =
      write_text(with_images(folder), "list.csv", "\"in, side/1.png\",10\n\"in, side/2.png\",2\n");
  const auto set = load("list:" + list, {});
  EXPECT_EQ(set.labels, (std::vector<std::int32_t>{10, 2}));
  EXPECT_EQ(set.classes.size(), 11u);
  EXPECT_FALSE(set.named_classes);
}

TEST(List, ColumnsAreFoundByName) {
  TempFolder folder;
  const auto list = write_text(with_images(folder), "list.csv", "age,Class,Path\n7,a,\"in, side/3.png\"\n");
  const auto set = load("list:" + list, {});
  EXPECT_NEAR(set.images[0], 30.0 / 255, 1e-6);
  EXPECT_EQ(set.classes, std::vector<std::string>{"a"});
  const auto plain = load("list:" + write_text(folder, "plain.csv", "path\n\"in, side/3.png\"\n"), {});
  EXPECT_TRUE(plain.labels.empty());
  EXPECT_EQ(plain.count(), 1u);
}

TEST(List, DefectsAreNamed) {
  TempFolder folder;
  with_images(folder);
  expect_user_error({"empty list"}, [&] { load("list:" + write_text(folder, "l.csv", ""), {}); });
  expect_user_error({"no images"}, [&] { load("list:" + write_text(folder, "l.csv", "path,label\n"), {}); });
  expect_user_error(
      {"row 2"}, [&] { load("list:" + write_text(folder, "l.csv", "\"in, side/1.png\",a\nx.png\n"), {}); });
  expect_user_error({"absent.png"}, [&] { load("list:" + write_text(folder, "l.csv", "absent.png\n"), {}); });
}

}  // namespace
}  // namespace velum::data
