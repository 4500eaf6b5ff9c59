// Image files that other libraries wrote, with what these read in them (tools/vectors/images.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/temp_folder.h"
#include "data/image.h"
#include "data/make_files.h"
#include "data/resize.h"

namespace velum::data {
namespace {

using nlohmann::json;
using testing::Bytes;

const std::string kFolder = std::string(VELUM_SOURCE_DIR) + "/tests/vectors/images/";

const json& expected() {
  static const json all = json::parse(std::ifstream(kFolder + "expected.json"));
  return all;
}

std::vector<float> planes(const Image& image) {
  std::vector<float> out(image.channels * image.height * image.width);
  resize_image(image, image.channels, image.height, image.width, Resize::stretch, out);
  return out;
}

TEST(ImageVectors, AreReadAsOtherLibrariesDo) {
  std::size_t read = 0;
  for (const auto& [name, wanted] : expected()["images"].items()) {
    SCOPED_TRACE(name);
    const auto file = testing::slurp(kFolder + name);
    ASSERT_FALSE(file.empty());
    if (wanted.contains("refused")) {
      testing::expect_user_error({name, wanted["refused"].get<std::string>()},
                                 [&] { decode_image(file, name); });
      continue;
    }
    Image image;
    EXPECT_NO_THROW(image = upright(decode_image(file, name)));
    EXPECT_EQ((std::vector<std::size_t>{image.channels, image.height, image.width}),
              wanted["shape"].get<std::vector<std::size_t>>());
    const auto values = wanted["values"].get<std::vector<double>>();
    if (image.pixels.size() != values.size()) continue;
    const auto got = planes(image);
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      worst = std::max(worst, std::fabs(static_cast<double>(got[i]) - values[i]));
    EXPECT_LE(worst, wanted["tolerance"].get<double>());
    EXPECT_EQ(image.transparent, name.starts_with("alpha"));
    ++read;
  }
  EXPECT_GT(read, 30u);
}

// Whatever is wrong with a file, nothing of its header is said, and it is refused or read.
TEST(ImageVectors, DamageNeverCrashesAndNamesNobody) {
  for (const auto& [name, wanted] : expected()["images"].items()) {
    const auto file = testing::slurp(kFolder + name);
    const auto attempt = [&, &image_name = name](std::span<const std::uint8_t> bytes) {
      try {
        const auto image = decode_image(bytes, "f");
        EXPECT_EQ(image.pixels.size(), image.channels * image.height * image.width);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::user) << image_name << error.what();
        for (const auto* field : {"Doe", "Jane", "4711", "Nobody"})
          EXPECT_EQ(std::string(error.what()).find(field), std::string::npos) << error.what();
      }
    };
    for (std::size_t n = 0; n < file.size(); n += 1 + n / 64) attempt(std::span(file).first(n));
    for (std::size_t at = 0; at < file.size(); at += 1 + at / 64) {
      auto bad = file;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1U << at % 8));
      attempt(bad);
    }
  }
}

TEST(ImageVectors, TruncationIsRefused) {
  for (const std::string name :
       {"plain.tif", "lzw.tif", "colour.bmp", "lossless.webp", "grey8.dcm", "window.dcm", "rle.dcm"}) {
    const auto file = testing::slurp(kFolder + name);
    for (const auto share : {0.3, 0.6, 0.95}) {
      const auto n = static_cast<std::size_t>(share * static_cast<double>(file.size()));
      testing::expect_user_error({"f: "}, [&] { decode_image(std::span(file).first(n), "f"); });
    }
  }
}

TEST(ImageVectors, ResizingIsThatOfPillow) {
  for (const auto& one : expected()["resized"]) {
    Image image;
    image.channels = 1;
    image.height = one["from"][0];
    image.width = one["from"][1];
    image.pixels = one["pixels"].get<std::vector<std::uint16_t>>();
    const std::size_t height = one["to"][0], width = one["to"][1];
    for (const auto& [name, mode] :
         {std::pair{"stretch", Resize::stretch}, {"fit", Resize::fit}, {"crop", Resize::crop}}) {
      std::vector<float> out(height * width);
      resize_image(image, 1, height, width, mode, out);
      const auto wanted = one[name].get<std::vector<double>>();
      for (std::size_t i = 0; i < wanted.size(); ++i)
        ASSERT_NEAR(out[i], wanted[i] / 255, 1.0 / 255) << name << one["from"] << one["to"] << i;
    }
  }
}

}  // namespace
}  // namespace velum::data
