#include "data/digits.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <set>

#include "base/parallel.h"
#include "base/temp_folder.h"

namespace velum::data {
namespace {

using Pixels = std::array<std::uint8_t, kDigitPixels>;

std::string digest(std::uint64_t seed, Split split, std::size_t count) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, 16);
  Pixels pixels;
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::uint8_t>(draw_digit(seed, split, i, pixels));
    crypto_generichash_update(&state, &label, 1);
    crypto_generichash_update(&state, pixels.data(), pixels.size());
  }
  std::array<std::uint8_t, 16> hash;
  crypto_generichash_final(&state, hash.data(), hash.size());
  return fmt::format("{:02x}", fmt::join(hash, ""));
}

// The committed models were trained on these very bytes: a change here needs new models.
TEST(Digits, TheSameBytesOnEveryMachine) {
  EXPECT_EQ(digest(1, Split::test, 500), "19ae0a0e15de05a4081295edf2302a7c");
  EXPECT_EQ(digest(1, Split::train, 500), "d3c1f34dd00f268f9fb20f8feeb6bf81");
  EXPECT_EQ(digest(1, Split::validation, 500), "6fe7ebbfd18e3c3cd8e7b30b686616c9");
  EXPECT_EQ(digest(20240229, Split::train, 500), "d822fe706be95db7a36d342b3bf74878");
}

TEST(Digits, DoNotDependOnThreadsOrLimit) {
  LoadOptions options;
  options.limit = 1000;
  use_threads(1);
  const auto one = load("digits", options);
  use_threads(3);
  const auto three = load("digits", options);
  use_threads(0);
  options.limit = 300;
  const auto few = load("digits", options);
  EXPECT_EQ(one.images, three.images);
  EXPECT_EQ(one.labels, three.labels);
  ASSERT_EQ(few.count(), 300u);
  EXPECT_TRUE(std::equal(few.images.begin(), few.images.end(), one.images.begin()));
}

TEST(Digits, SplitsAndSeedsShareNoImage) {
  std::set<Pixels> seen;
  for (const std::uint64_t seed : {1u, 2u})
    for (const auto split : {Split::train, Split::validation, Split::test})
      for (std::uint64_t i = 0; i < 300; ++i) {
        Pixels pixels;
        draw_digit(seed, split, i, pixels);
        EXPECT_TRUE(seen.insert(pixels).second);
      }
}

TEST(Digits, HaveTheirAnnouncedShape) {
  LoadOptions options;
  const auto set = load("digits", options);
  EXPECT_EQ(set.name, "digits");
  EXPECT_EQ(set.count(), 10000u);
  EXPECT_EQ(set.labels.size(), 10000u);
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.height, 28);
  EXPECT_EQ(set.width, 28);
  EXPECT_EQ(set.classes.size(), 10u);
  std::array<int, 10> per_class{};
  for (const auto label : set.labels) ++per_class.at(static_cast<std::size_t>(label));
  for (const auto n : per_class) EXPECT_NEAR(n, 1000, 150);
  for (const auto v : set.images) ASSERT_TRUE(v >= 0 && v <= 1);
  EXPECT_EQ(digits_in(Split::train), 60000u);
  EXPECT_EQ(digits_in(Split::validation), 5000u);
}

// Ink in the middle, little of it cut off at the border.
TEST(Digits, LieInTheirFrame) {
  Pixels pixels;
  double border = 0, all = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    draw_digit(1, Split::test, i, pixels);
    for (std::size_t p = 0; p < kDigitPixels; ++p) {
      const auto x = p % kDigitSide, y = p / kDigitSide;
      all += pixels[p];
      if (x == 0 || y == 0 || x == kDigitSide - 1 || y == kDigitSide - 1) border += pixels[p];
    }
  }
  EXPECT_LT(border / all, 0.02);
  EXPECT_GT(all / 1000 / 255, 40);  // pixels' worth of ink an image
  EXPECT_LT(all / 1000 / 255, 200);
}

// Nearest class mean, a linear classifier: far above chance, far from perfect. Digits that it solves would
// prove nothing about a network; digits that it cannot tell at all would not be digits.
TEST(Digits, AreNeitherTrivialNorNoise) {
  LoadOptions options;
  options.split = Split::train;
  options.limit = 5000;
  const auto train = load("digits", options);
  options.split = Split::test;
  options.limit = 2000;
  const auto test = load("digits", options);
  std::array<std::array<double, kDigitPixels>, 10> mean{};
  std::array<double, 10> n{};
  for (std::size_t i = 0; i < train.count(); ++i) {
    const auto c = static_cast<std::size_t>(train.labels[i]);
    n[c] += 1;
    for (std::size_t p = 0; p < kDigitPixels; ++p)
      mean[c][p] += static_cast<double>(train.images[i * kDigitPixels + p]);
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < test.count(); ++i) {
    std::size_t best = 0;
    double best_distance = 1e300;
    for (std::size_t c = 0; c < 10; ++c) {
      double distance = 0;
      for (std::size_t p = 0; p < kDigitPixels; ++p) {
        const double d = mean[c][p] / n[c] - static_cast<double>(test.images[i * kDigitPixels + p]);
        distance += d * d;
      }
      if (distance < best_distance) best = c, best_distance = distance;
    }
    right += best == static_cast<std::size_t>(test.labels[i]);
  }
  const double accuracy = static_cast<double>(right) / static_cast<double>(test.count());
  EXPECT_GT(accuracy, 0.6);
  EXPECT_LT(accuracy, 0.95);
}

}  // namespace
}  // namespace velum::data
