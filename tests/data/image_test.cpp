#include "data/image.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/temp_folder.h"
#include "data/make_files.h"
#include "data/resize.h"

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

std::vector<float> resized(const Image& image, std::size_t channels, std::size_t height, std::size_t width,
                           Resize mode = Resize::stretch) {
  std::vector<float> out(channels * height * width);
  resize_image(image, channels, height, width, mode, out);
  return out;
}

std::vector<std::uint16_t> wide(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Image, PngComesBackExactly) {
  for (const std::size_t channels : {1u, 3u}) {
    const auto pixels = testing::ramp(channels * 7 * 5);
    const auto image = decode_image(testing::png(channels, 7, 5, pixels), "f");
    EXPECT_EQ(image.channels, channels);
    EXPECT_EQ(image.height, 7u);
    EXPECT_EQ(image.width, 5u);
    EXPECT_EQ(image.pixels, wide(pixels));
    EXPECT_EQ(image.white, 255);
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
  const auto png = testing::png(1, 12, 12, picture(1, 12, 12));
  for (std::size_t n = 0; n < png.size(); ++n)
    expect_user_error({"f: "}, [&] { decode_image(std::span(png).first(n), "f"); });
  for (const bool progressive : {false, true}) {
    const auto jpeg = testing::jpeg(3, 24, 24, picture(3, 24, 24), progressive);
    for (std::size_t n = 0; n + 2 < jpeg.size(); ++n)
      expect_user_error({"f: "}, [&] { decode_image(std::span(jpeg).first(n), "f"); });
  }
}

// Nothing is applied to the numbers: no gamma, no colour profile, no cut to eight bits.
TEST(Image, DepthIsKeptAndGammaIsNotApplied) {
  const Bytes deep{0x10, 0x00, 0xff, 0xff, 0x00, 0x01};  // 4096, 65535, 1
  const auto image = decode_image(testing::raw_png(0, 16, 1, 3, deep), "f");
  EXPECT_EQ(image.white, 65535);
  EXPECT_EQ(image.pixels, (std::vector<std::uint16_t>{4096, 65535, 1}));
  EXPECT_NEAR(resized(image, 1, 1, 3)[0], 4096.0 / 65535, 1e-7);
  Bytes linear;  // gAMA 1.0
  testing::append_big(linear, 100000, 4);
  const auto tagged = decode_image(testing::raw_png(0, 8, 1, 2, Bytes{16, 200}, {{"gAMA", linear}}), "f");
  EXPECT_EQ(tagged.pixels, (std::vector<std::uint16_t>{16, 200}));
  const auto colour = decode_image(
      testing::raw_png(2, 16, 1, 1, Bytes{1, 2, 3, 4, 5, 6}, {{"gAMA", linear}, {"sRGB", Bytes{0}}}), "f");
  EXPECT_EQ(colour.pixels, (std::vector<std::uint16_t>{0x102, 0x304, 0x506}));
}

TEST(Image, FewBitsAndPalettesAreExpanded) {
  EXPECT_EQ(decode_image(testing::raw_png(0, 1, 1, 8, Bytes{0b10100000}), "f").pixels,
            (std::vector<std::uint16_t>{255, 0, 255, 0, 0, 0, 0, 0}));
  EXPECT_EQ(decode_image(testing::raw_png(0, 2, 1, 4, Bytes{0b00011011}), "f").pixels,
            (std::vector<std::uint16_t>{0, 85, 170, 255}));
  const auto palette =
      decode_image(testing::raw_png(3, 8, 1, 2, Bytes{1, 0}, {{"PLTE", Bytes{1, 2, 3, 40, 50, 60}}}), "f");
  EXPECT_EQ(palette.channels, 3u);
  EXPECT_EQ(palette.pixels, (std::vector<std::uint16_t>{40, 50, 60, 1, 2, 3}));
}

// As converters drop it: the colours beneath stay as the file has them.
TEST(Image, TransparencyIsDropped) {
  const auto rgba = decode_image(testing::raw_png(6, 8, 1, 2, Bytes{200, 100, 50, 0, 1, 2, 3, 128}), "f");
  EXPECT_TRUE(rgba.transparent);
  EXPECT_EQ(rgba.channels, 3u);
  EXPECT_EQ(rgba.pixels, (std::vector<std::uint16_t>{200, 100, 50, 1, 2, 3}));
  const auto grey = decode_image(testing::raw_png(4, 16, 1, 1, Bytes{16, 0, 0, 0}), "f");
  EXPECT_TRUE(grey.transparent);
  EXPECT_EQ(grey.pixels, (std::vector<std::uint16_t>{4096}));
  // One colour declared transparent; a palette with transparent entries.
  const auto keyed = decode_image(testing::raw_png(0, 8, 1, 2, Bytes{7, 8}, {{"tRNS", Bytes{0, 7}}}), "f");
  EXPECT_TRUE(keyed.transparent);
  EXPECT_EQ(keyed.pixels, (std::vector<std::uint16_t>{7, 8}));
  const auto palette = decode_image(
      testing::raw_png(3, 8, 1, 1, Bytes{0}, {{"PLTE", Bytes{9, 8, 7}}, {"tRNS", Bytes{0}}}), "f");
  EXPECT_TRUE(palette.transparent);
  EXPECT_EQ(palette.pixels, (std::vector<std::uint16_t>{9, 8, 7}));
  EXPECT_FALSE(decode_image(testing::raw_png(0, 8, 1, 1, Bytes{7}), "f").transparent);
}

TEST(Image, OrientationIsFoundAndApplied) {
  //  1 2     the file's rows and columns; where they belong by orientation:
  //  3 4
  //  5 6
  const std::vector<std::vector<std::uint16_t>> expected = {
      {1, 2, 3, 4, 5, 6}, {2, 1, 4, 3, 6, 5}, {6, 5, 4, 3, 2, 1}, {5, 6, 3, 4, 1, 2},
      {1, 3, 5, 2, 4, 6}, {5, 3, 1, 6, 4, 2}, {6, 4, 2, 5, 3, 1}, {2, 4, 6, 1, 3, 5}};
  for (int o = 1; o <= 8; ++o)
    for (const bool big : {false, true}) {
      const auto exif = testing::exif_orientation(o, big);
      const auto image =
          decode_image(testing::raw_png(0, 8, 3, 2, Bytes{1, 2, 3, 4, 5, 6}, {{"eXIf", exif}}), "f");
      EXPECT_EQ(image.orientation, o);
      EXPECT_EQ(image.pixels, expected[0]);
      const auto turned = upright(image);
      EXPECT_EQ(turned.height, o <= 4 ? 3u : 2u);
      EXPECT_EQ(turned.width, o <= 4 ? 2u : 3u);
      EXPECT_EQ(turned.pixels, expected[static_cast<std::size_t>(o - 1)]) << o;
    }
  auto jpeg = testing::jpeg(3, 16, 24, picture(3, 16, 24));
  EXPECT_EQ(decode_image(jpeg, "f").orientation, 1);
  auto block = testing::exif_orientation(6, true);
  Bytes segment{0xff, 0xe1};
  testing::append_big(segment, block.size() + 8, 2);
  testing::append_text(segment, std::string("Exif\0\0", 6));
  testing::append(segment, block);
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  EXPECT_EQ(decode_image(jpeg, "f").orientation, 6);
  // Broken blocks say nothing.
  for (std::size_t n = 0; n < block.size(); ++n) {
    const Bytes cut(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(n));
    const auto image = decode_image(testing::raw_png(0, 8, 1, 1, Bytes{5}, {{"eXIf", cut}}), "f");
    EXPECT_EQ(image.orientation, 1) << n;
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
  expect_user_error({"not an image by its first bytes", "PNG"},
                    [&] { decode_image(testing::ramp(100), "f"); });
  expect_user_error({"0 bytes"}, [&] { decode_image(Bytes{}, "f"); });
}

TEST(Resize, KeepsAnImageOfTheRightSize) {
  const Image image{1, 3, 4, wide(testing::ramp(12, 21))};
  const auto out = resized(image, 1, 3, 4);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_FLOAT_EQ(out[i], static_cast<float>(image.pixels[i]) / 255);
}

// To a half: a triangle two target pixels wide has the weights 1 3 3 1 over four source pixels, those beyond
// the edge left out.
TEST(Resize, ShrinkingIsAntialiased) {
  const Image image{1, 1, 8, {0, 80, 16, 240, 40, 8, 200, 100}};
  const auto out = resized(image, 1, 1, 4);
  const double expected[] = {(3 * 0 + 3 * 80 + 16) / 7.0, (80 + 3 * 16 + 3 * 240 + 40) / 8.0,
                             (240 + 3 * 40 + 3 * 8 + 200) / 8.0, (8 + 3 * 200 + 3 * 100) / 7.0};
  for (std::size_t x = 0; x < 4; ++x) EXPECT_NEAR(out[x], expected[x] / 255, 1e-6) << x;
}

// Whatever the ratio, the weights of a pixel sum to one.
TEST(Resize, KeepsConstants) {
  const Image flat{1, 11, 13, wide(Bytes(143, 200))};
  for (const auto& [h, w] : {std::pair{5, 7}, {11, 13}, {28, 3}, {40, 50}, {1, 1}})
    for (const auto v : resized(flat, 1, static_cast<std::size_t>(h), static_cast<std::size_t>(w)))
      EXPECT_NEAR(v, 200.0 / 255, 1e-5);
}

TEST(Resize, FitShowsTheWholeImageAndCropItsMiddle) {
  Image image{1, 2, 4, {10, 20, 30, 40, 50, 60, 70, 80}};
  const auto fit = resized(image, 1, 4, 4, Resize::fit);
  const double rows[4][4] = {{0, 0, 0, 0}, {10, 20, 30, 40}, {50, 60, 70, 80}, {0, 0, 0, 0}};
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(fit[i], rows[i / 4][i % 4] / 255, 1e-6) << i;
  const auto crop = resized(image, 1, 2, 2, Resize::crop);
  const double middle[] = {20, 30, 60, 70};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(crop[i], middle[i] / 255, 1e-6) << i;
  const Image tall{1, 4, 2, {10, 20, 30, 40, 50, 60, 70, 80}};
  const auto tall_crop = resized(tall, 1, 2, 2, Resize::crop);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(tall_crop[i], (30 + 10 * static_cast<double>(i)) / 255, 1e-6) << i;
}

TEST(Resize, GrowingIsLinear) {
  const Image image{1, 1, 2, {0, 200}};
  const auto out = resized(image, 1, 1, 4);
  const double expected[] = {0, 50, 150, 200};
  for (std::size_t x = 0; x < 4; ++x) EXPECT_NEAR(out[x], expected[x] / 255, 1e-6);
}

TEST(Resize, BetweenGreyAndColour) {
  const Image colour{3, 1, 1, {100, 150, 50}};
  EXPECT_NEAR(resized(colour, 1, 1, 1)[0], (0.299 * 100 + 0.587 * 150 + 0.114 * 50) / 255, 1e-6);
  const auto planes = resized(colour, 3, 1, 1);
  EXPECT_NEAR(planes[1], 150.0 / 255, 1e-6);
  const Image grey{1, 1, 1, {77}};
  for (const auto v : resized(grey, 3, 1, 1)) EXPECT_NEAR(v, 77.0 / 255, 1e-6);
}

}  // namespace
}  // namespace velum::data
