// What a network takes as pixels: found, stated, recorded; one layer in front of it.
#include "model/pixels.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "support/graphs.h"

namespace velum::model {
namespace {

// x * factor + shift (shift first where asked), then a dense layer.
Graph scaled(double factor, double shift = 0, bool shift_first = false) {
  test::GraphBuilder builder({2, 2, 3});
  auto x = builder.input();
  const ScaleShift scale{{{}, {static_cast<float>(factor)}}, {{}, {0}}};
  const ScaleShift offset{{{}, {1}}, {{}, {static_cast<float>(shift)}}};
  if (shift_first) x = builder.node(x, offset);
  x = builder.node(x, scale);
  if (shift != 0 && !shift_first) x = builder.node(x, offset);
  x = builder.flatten(x, 12);
  return builder.finish(builder.dense(x, 12, 2));
}

Pixels pixels_of(const Graph& g, const LoadOptions& options = {}) {
  return load_onnx(to_onnx(g), "test", options).pixels;
}

TEST(Pixels, ARangeIsFoundWhereTheFirstStepDividesByIt) {
  using Origin = Pixels::Origin;
  for (const double divisor : {255.0, 256.0, 253.0, 127.5, 128.0}) {
    EXPECT_EQ(pixels_of(scaled(1 / divisor)).origin, Origin::found) << divisor;
    EXPECT_EQ(pixels_of(scaled(1 / divisor, -1)).origin, Origin::found) << divisor;
    EXPECT_EQ(pixels_of(scaled(1 / divisor, -127.5, true)).origin, Origin::found) << divisor;
    EXPECT_EQ(pixels_of(scaled(1 / divisor)).high, 255) << divisor;
  }
  for (const double divisor : {1.0, 0.5, 100.0, 251.0, 300.0})
    EXPECT_EQ(pixels_of(scaled(1 / divisor)).origin, Origin::assumed) << divisor;
  // Not where it is not the first step.
  test::GraphBuilder builder({1, 2, 2});
  auto x = builder.quadratic(builder.input(), {1, 2, 2});
  x = builder.node(x, ScaleShift{{{}, {1.0F / 255}}, {{}, {0}}});
  EXPECT_EQ(pixels_of(builder.finish(x)).origin, Origin::assumed);
}

TEST(Pixels, TheLayerInFrontMakesOfImagesWhatTheFileTakes) {
  auto g = scaled(1);
  const std::vector<float> images{0, 0.25F, 0.5F, 0.75F, 1, 0.1F, 0.2F, 0.3F, 0.4F, 0.6F, 0.7F, 0.8F};
  std::vector<float> pixels;
  for (std::size_t i = 0; i < images.size(); ++i)
    pixels.push_back((-1 + 2 * images[i] - (i < 6 ? 0.5F : 0.25F)) / (i < 6 ? 2.0F : 4.0F));
  const auto expected = execute(g, pixels, 1);
  LoadOptions options;
  options.pixels = parse_pixels("-1,1", "0.5,0.25", "2,4");
  const auto loaded = load_onnx(to_onnx(g), "test", options);
  const auto y = execute(loaded, images, 1);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-6);
  EXPECT_EQ(loaded.input_range.low, 0);
  EXPECT_EQ(loaded.input_range.high, 1);
  EXPECT_NE(pixels_text(loaded.pixels).find("-1 to 1, less 0.5,0.25, over 2,4"), std::string::npos)
      << pixels_text(loaded.pixels);
}

// A file that Velum made of a network with a range is not given it a second time.
TEST(Pixels, ARecordedRangeIsNotAppliedTwice) {
  auto g = scaled(1);
  g.metadata[kPixels] = "0 255";
  EXPECT_EQ(pixels_of(g).origin, Pixels::Origin::recorded);
  EXPECT_EQ(load_onnx(to_onnx(g), "test").nodes.size(), load_onnx(to_onnx(scaled(1)), "test").nodes.size());
  LoadOptions options;
  options.pixels = parse_pixels("0,255", "", "");
  EXPECT_EQ(pixels_of(g, options).origin, Pixels::Origin::recorded);
  options.pixels = parse_pixels("0,1", "", "");
  EXPECT_THROW(pixels_of(g, options), Error);
  options.pixels = parse_pixels("", "0.5", "");
  EXPECT_THROW(pixels_of(g, options), Error);
  options.pixels.unless_recorded = true;
  EXPECT_EQ(pixels_of(g, options).origin, Pixels::Origin::recorded);
}

TEST(Pixels, WhatDoesNotFitIsRefused) {
  for (const auto* range : {"1", "1,1", "2,1", "0,255,1", "a,b", "0,", "nan,1", "0,inf"})
    EXPECT_THROW(parse_pixels(range, "", ""), Error) << range;
  EXPECT_THROW(parse_pixels("", "", "0"), Error);
  EXPECT_THROW(parse_pixels("", "", "-1"), Error);
  LoadOptions options;
  options.pixels = parse_pixels("", "1,2,3", "");
  EXPECT_THROW(pixels_of(scaled(1), options), Error);
  EXPECT_THROW(parse_shape("1,"), Error);
  EXPECT_THROW(parse_shape("0,2"), Error);
  EXPECT_EQ(parse_shape("3,4,5"), (Shape{3, 4, 5}));
}

}  // namespace
}  // namespace velum::model
