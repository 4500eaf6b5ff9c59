#include "model/input_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"
#include "model/execute.h"
#include "model/graph.h"
#include "model/onnx.h"

namespace velum::model {
namespace {

constexpr std::size_t kElements = 16, kCount = 400;

// Bright in the middle, dark at the edges that never change, with noise: pictures of one thing.
std::vector<float> pictures(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0, 0.1F);
  std::vector<float> images(count * kElements);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto e = i % kElements;
    images[i] = e < 4 || e >= 12 ? 0 : std::clamp(0.7F + noise(random), 0.0F, 1.0F);
  }
  return images;
}

InputStatistics measured() {
  return measure_inputs(pictures(kCount, 1), kCount, 0, 1);
}

TEST(InputStatistics, OrdinaryImagesPassAndOthersAreTold) {
  const auto s = measured();
  EXPECT_EQ(s.images, kCount);
  const auto others = pictures(2000, 2);
  EXPECT_LE(unlike_images(s, others, 0, 1).size(), 20u);
  // Inverted, black, white, divided by 255 once too often, noise, and no number: one of each, in this order.
  std::mt19937 random(3);
  std::vector<float> strange;
  for (int kind = 0; kind < 6; ++kind)
    for (std::size_t e = 0; e < kElements; ++e) {
      const float x = others[e], noise = static_cast<float>(random() % 1000) / 999;
      strange.push_back(
          std::array{1 - x, 0.0F, 1.0F, x / 255, noise, std::numeric_limits<float>::quiet_NaN()}[kind]);
    }
  EXPECT_EQ(unlike_images(s, strange, 0, 1), (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
}

// The same pictures in other units are the same.
TEST(InputStatistics, AreTakenInTheInputsRange) {
  auto images = pictures(kCount, 1);
  for (auto& x : images) x = 10 * x - 3;
  const auto s = measure_inputs(images, kCount, -3, 7);
  EXPECT_EQ(s.mean, measured().mean);
  EXPECT_TRUE(unlike_images(s, std::span(images).first(kElements), -3, 7).empty());
  EXPECT_FALSE(unlike_images(s, std::span(images).first(kElements), 0, 7).empty());
}

TEST(InputStatistics, AreRoundedToSixtyFourths) {
  const auto s = measured();
  ASSERT_EQ(s.mean.size(), kElements);
  ASSERT_EQ(s.deviation.size(), kElements);
  EXPECT_EQ(s.mean[0], 0);
  EXPECT_EQ(s.deviation[0], 0);
  EXPECT_NEAR(s.mean[5], 0.7 * 64, 1.5);
  EXPECT_NEAR(s.deviation[5], 0.1 * 64, 1.5);
}

// One image among them is not to be read off them: none are made of few images, and an outlier sets no limit.
TEST(InputStatistics, TakeManyImages) {
  EXPECT_EQ(measure_inputs(pictures(99, 1), 99, 0, 1), InputStatistics{});
  EXPECT_EQ(measure_inputs(pictures(100, 1), 100, 0, 1).images, 100u);
  auto images = pictures(1000, 1);
  const auto without = measure_inputs(images, 1000, 0, 1).limits;
  for (std::size_t e = 0; e < kElements; ++e) images[e] = 1;
  const auto with = measure_inputs(images, 1000, 0, 1).limits;
  for (std::size_t k = 0; k < with.size(); ++k) {
    EXPECT_NEAR(with[k].low, without[k].low, 2) << k;
    EXPECT_NEAR(with[k].high, without[k].high, 4) << k;
  }
}

TEST(InputStatistics, NothingIsMadeOfNothing) {
  auto images = pictures(kCount, 1);
  EXPECT_EQ(measure_inputs(images, kCount, 1, 1), InputStatistics{});
  images[7] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(measure_inputs(images, kCount, 0, 1), InputStatistics{});
  EXPECT_TRUE(unlike_images({}, images, 0, 1).empty());
}

TEST(InputStatistics, ReturnFromText) {
  const auto s = measured();
  EXPECT_EQ(parse_statistics(to_text(s), "x"), s);
  const auto text = to_text(s);
  for (const auto& bad :
       {std::string(), std::string("400"), text.substr(0, text.size() - 2), text + "0", text + "zz",
        text.substr(1), "-" + text, text.substr(0, 12) + "x" + text.substr(13)}) {
    bool refused = false;
    try {
      check_statistics(parse_statistics(bad, "metadata 'x'"), kElements, "m.onnx");
    } catch (const Error& e) {
      refused = e.kind() == ErrorKind::user;
    }
    EXPECT_TRUE(refused || parse_statistics(bad, "x") != s) << bad;
  }
}

TEST(InputStatistics, ThoseOfOtherInputsAreRefused) {
  const auto refused = [](auto change) {
    auto s = measured();
    change(s);
    EXPECT_THROW(check_statistics(s, kElements, "file"), Error);
  };
  EXPECT_NO_THROW(check_statistics(measured(), kElements, "file"));
  EXPECT_NO_THROW(check_statistics({}, kElements, "file"));
  refused([](auto& s) { s.mean.pop_back(); });
  refused([](auto& s) { s.deviation.push_back(0); });
  refused([](auto& s) { s.mean[3] = 65; });
  refused([](auto& s) { s.deviation[3] = 255; });
  refused([](auto& s) { s.images = 99; });
  refused([](auto& s) { s.images = 0; });
  refused([](auto& s) { s.limits[2].low = s.limits[2].high + 1; });
}

TEST(InputStatistics, TravelWithTheNetwork) {
  Graph g;
  g.input = "x";
  g.output = "y";
  g.input_shape = {kElements};
  g.nodes.push_back({"dense", Dense{1, std::vector<float>(kElements, 1), {}}, {"x"}, "y", {1}});
  calibrate(g, pictures(kCount, 1), kCount, 0.25);
  EXPECT_EQ(statistics_of(g), measured());
  EXPECT_EQ(statistics_of(load_onnx(to_onnx(g), "file")), measured());
  auto other = g;
  other.input_shape = {kElements + 1};
  EXPECT_THROW(statistics_of(other), Error);
  // Too few images leave none behind of those that were there.
  calibrate(g, pictures(50, 1), 50, 0.25);
  EXPECT_EQ(statistics_of(g), InputStatistics{});
}

}  // namespace
}  // namespace velum::model
