#include "data/image.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/temp_folder.h"
#include "data/make_files.h"

namespace velum::data {
namespace {

using testing::Bytes;
using testing::expect_user_error;

// A smooth picture, so that JPEG changes it little.
Bytes picture(std::size_t channels, std::size_t height, std::size_t width) {
  Bytes out;
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < channels; ++c)
        out.push_back(static_cast<std::uint8_t>(20 + (150 * y / height) + (60 * x / width) + 10 * c));
  return out;
}

TEST(Image, PngComesBackExactly) {
  for (const std::size_t channels : {1u, 3u}) {
    const auto pixels = testing::ramp(channels * 7 * 5);
    const auto image = decode_image(testing::png(channels, 7, 5, pixels), "f");
    EXPECT_EQ(image.channels, channels);
    EXPECT_EQ(image.height, 7u);
    EXPECT_EQ(image.width, 5u);
    EXPECT_EQ(image.pixels, pixels);
  }
}

TEST(Image, JpegComesBackNearly) {
  for (const std::size_t channels : {1u, 3u})
    for (const bool progressive : {false, true}) {
      const auto pixels = picture(channels, 33, 21);
      const auto image = decode_image(testing::jpeg(channels, 33, 21, pixels, progressive), "f");
      EXPECT_EQ(image.channels, channels);
      ASSERT_EQ(image.pixels.size(), pixels.size());
      for (std::size_t i = 0; i < pixels.size(); ++i) EXPECT_NEAR(image.pixels[i], pixels[i], 10);
    }
}

TEST(Image, EveryTruncationIsRefused) {
  // The last bytes of a PNG are its end chunk, which holds no pixels: its absence may pass.
  const auto png = testing::png(1, 12, 12, picture(1, 12, 12));
  for (std::size_t n = 0; n + 12 < png.size(); ++n)
    expect_user_error({"f: "}, [&] { decode_image(std::span(png).first(n), "f"); });
  for (const bool progressive : {false, true}) {
    const auto jpeg = testing::jpeg(3, 24, 24, picture(3, 24, 24), progressive);
    for (std::size_t n = 0; n + 2 < jpeg.size(); ++n)
      expect_user_error({"f: "}, [&] { decode_image(std::span(jpeg).first(n), "f"); });
  }
}

TEST(Image, FlippedBitsNeverCrash) {
  const auto flip_all = [](const Bytes& file) {
    for (std::size_t at = 0; at < file.size(); ++at)
      for (int bit = 0; bit < 8; ++bit) {
        auto bad = file;
        bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
        try {
          const auto image = decode_image(bad, "f");
          EXPECT_EQ(image.pixels.size(), image.channels * image.height * image.width);
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::user) << error.what();
        }
      }
  };
  flip_all(testing::png(3, 9, 9, picture(3, 9, 9)));
  flip_all(testing::jpeg(1, 16, 16, picture(1, 16, 16)));
  flip_all(testing::jpeg(3, 16, 16, picture(3, 16, 16), true));
}

TEST(Image, AnnouncedSizesAreCheckedFirst) {
  auto png = testing::png(1, 12, 12, picture(1, 12, 12));
  png[16] = 0x7f;  // width, in a header whose checksum is then wrong as well
  expect_user_error({"f: "}, [&] { decode_image(png, "f"); });
  auto jpeg = testing::jpeg(1, 16, 16, picture(1, 16, 16));
  for (std::size_t at = 0; at + 8 < jpeg.size(); ++at)
    if (jpeg[at] == 0xff && jpeg[at + 1] == 0xc0) jpeg[at + 5] = jpeg[at + 7] = 0x1f;  // about 8000x8000
  expect_user_error({"cannot hold them"}, [&] { decode_image(jpeg, "f"); });
  expect_user_error({"neither PNG nor JPEG"}, [&] { decode_image(testing::ramp(100), "f"); });
  expect_user_error({"0 bytes"}, [&] { decode_image(Bytes{}, "f"); });
}

std::vector<float> resized(const Image& image, std::size_t channels, std::size_t height, std::size_t width) {
  std::vector<float> out(channels * height * width);
  resize_image(image, channels, height, width, out);
  return out;
}

TEST(Resize, KeepsAnImageOfTheRightSize) {
  const Image image{1, 3, 4, testing::ramp(12, 21)};
  const auto out = resized(image, 1, 3, 4);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_FLOAT_EQ(out[i], static_cast<float>(image.pixels[i]) / 255);
}

TEST(Resize, ShrinkingIsTheMeanOfTheArea) {
  const Image image{1, 4, 6, testing::ramp(24, 9)};
  const auto out = resized(image, 1, 2, 2);
  for (std::size_t y = 0; y < 2; ++y)
    for (std::size_t x = 0; x < 2; ++x) {
      double sum = 0;
      for (std::size_t dy = 0; dy < 2; ++dy)
        for (std::size_t dx = 0; dx < 3; ++dx) sum += image.pixels[(2 * y + dy) * 6 + 3 * x + dx];
      EXPECT_NEAR(out[y * 2 + x], sum / 6 / 255, 1e-6);
    }
}

// Whatever the ratio, the weights of a pixel sum to one, and shrinking keeps the mean.
TEST(Resize, KeepsConstantsAndMeans) {
  const Image flat{1, 11, 13, Bytes(143, 200)};
  for (const auto& [h, w] : {std::pair{5, 7}, {11, 13}, {28, 3}, {40, 50}, {1, 1}})
    for (const auto v : resized(flat, 1, static_cast<std::size_t>(h), static_cast<std::size_t>(w)))
      EXPECT_NEAR(v, 200.0 / 255, 1e-5);
  const Image image{1, 11, 13, testing::ramp(143, 31)};
  double mean = 0, mean_out = 0;
  for (const auto p : image.pixels) mean += p / 255.0 / 143;
  for (const auto v : resized(image, 1, 4, 6)) mean_out += static_cast<double>(v) / 24;
  EXPECT_NEAR(mean, mean_out, 1e-5);
}

TEST(Resize, GrowingIsLinear) {
  const Image image{1, 1, 2, Bytes{0, 200}};
  const auto out = resized(image, 1, 1, 4);
  const double expected[] = {0, 50, 150, 200};
  for (std::size_t x = 0; x < 4; ++x) EXPECT_NEAR(out[x], expected[x] / 255, 1e-6);
}

TEST(Resize, BetweenGreyAndColour) {
  const Image colour{3, 1, 1, Bytes{100, 150, 50}};
  EXPECT_NEAR(resized(colour, 1, 1, 1)[0], (0.299 * 100 + 0.587 * 150 + 0.114 * 50) / 255, 1e-6);
  const auto planes = resized(colour, 3, 1, 1);
  EXPECT_NEAR(planes[1], 150.0 / 255, 1e-6);
  const Image grey{1, 1, 1, Bytes{77}};
  for (const auto v : resized(grey, 3, 1, 1)) EXPECT_NEAR(v, 77.0 / 255, 1e-6);
}

}  // namespace
}  // namespace velum::data
