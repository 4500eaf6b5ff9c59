#include "train/augment.h"

#include <gtest/gtest.h>

namespace velum::train {
namespace {

TEST(Augment, NothingAskedForChangesNothing) {
  const auto x = torch::rand({3, 2, 8, 8});
  EXPECT_TRUE(torch::equal(augment(x, {}), x));
}

// A flip and whole-pixel shifts move pixels without blurring: every image is one of the possible moves.
TEST(Augment, FlipsAndShiftsMoveWholePixels) {
  torch::manual_seed(2);
  const auto x = torch::rand({20, 1, 9, 9});
  const auto y = augment(x, {.shift = 1, .flip = true});
  const auto padded = torch::constant_pad_nd(x, {1, 1, 1, 1});
  int flipped = 0;
  for (std::int64_t n = 0; n < 20; ++n) {
    bool found = false;
    for (const bool mirror : {false, true})
      for (std::int64_t dy = 0; dy <= 2; ++dy)
        for (std::int64_t dx = 0; dx <= 2; ++dx) {
          auto moved = padded[n].slice(1, dy, dy + 9).slice(2, dx, dx + 9);
          if (mirror)
            moved =
                torch::constant_pad_nd(x[n].flip(2), {1, 1, 1, 1}).slice(1, dy, dy + 9).slice(2, dx, dx + 9);
          if (!torch::equal(y[n], moved)) continue;
          found = true;
          flipped += mirror;
        }
    EXPECT_TRUE(found) << "image " << n;
  }
  EXPECT_GT(flipped, 3);
  EXPECT_LT(flipped, 17);
}

// Beyond the edge it goes on: every moved image is a window of the padded one.
TEST(Augment, ShiftsRepeatTheEdgeWhereAsked) {
  namespace F = torch::nn::functional;
  torch::manual_seed(3);
  const auto x = torch::rand({12, 3, 6, 9});
  const auto y = augment(x, {.shift = 2, .edge_fill = true});
  const auto padded = F::pad(x, F::PadFuncOptions({2, 2, 2, 2}).mode(torch::kReplicate));
  int moved = 0;
  for (std::int64_t n = 0; n < 12; ++n) {
    bool found = false;
    for (std::int64_t dy = 0; dy <= 4; ++dy)
      for (std::int64_t dx = 0; dx <= 4; ++dx)
        if (torch::equal(y[n], padded[n].slice(1, dy, dy + 6).slice(2, dx, dx + 9))) {
          found = true;
          moved += dx != 2 || dy != 2;
        }
    EXPECT_TRUE(found) << "image " << n;
  }
  EXPECT_GT(moved, 6);
}

TEST(Augment, KeepsShapeAndRangeAndFollowsTheSeed) {
  const Augmentation all{.shift = 2,
                         .rotate = 15,
                         .scale = 0.1,
                         .shear = 8,
                         .elastic = 0.7,
                         .flip = true,
                         .intensity = 0.3,
                         .cutout = 4};
  const auto x = torch::rand({6, 3, 12, 10});
  torch::manual_seed(4);
  const auto first = augment(x, all);
  torch::manual_seed(4);
  const auto second = augment(x, all);
  EXPECT_TRUE(torch::equal(first, second));
  EXPECT_EQ(first.sizes(), x.sizes());
  EXPECT_GE(first.min().item<float>(), -1e-5F);
  EXPECT_LE(first.max().item<float>(), 1 + 1e-5F);
  EXPECT_FALSE(torch::equal(first, augment(x, all)));
}

// A small rotation of a centred blob keeps its mass and its centre.
TEST(Augment, RotationTurnsAboutTheCentre) {
  torch::manual_seed(6);
  auto x = torch::zeros({8, 1, 21, 21});
  x.slice(2, 8, 13).slice(3, 8, 13).fill_(1);
  const auto y = augment(x, {.rotate = 30});
  const auto mass = y.sum({1, 2, 3});
  EXPECT_TRUE(torch::allclose(mass, torch::full({8}, 25.0F), 0.05, 0));
  const auto positions = torch::arange(21).to(torch::kFloat32);
  EXPECT_TRUE(torch::allclose((y.sum({1, 2}) * positions).sum(1) / mass, torch::full({8}, 10.0F), 0, 0.05));
  EXPECT_FALSE(torch::allclose(x, y, 0.1, 0.1));
}

// The displacement as matrices against torch's own interpolation of the same mesh.
TEST(Augment, ElasticDisplacementIsABicubicMesh) {
  namespace F = torch::nn::functional;
  const auto x = torch::rand({4, 2, 12, 17});
  torch::manual_seed(8);
  const auto got = augment(x, {.elastic = 1.5});
  torch::manual_seed(8);
  for (int draw = 0; draw < 5; ++draw) torch::rand({4});  // angle, size, lean, shifts: all times 0
  const auto mesh = torch::randn({4, 2, 5, 5}) * 1.5;
  const auto field = F::interpolate(mesh, F::InterpolateFuncOptions()
                                              .size(std::vector<std::int64_t>{12, 17})
                                              .mode(torch::kBicubic)
                                              .align_corners(true));
  const auto still = torch::eye(2, 3).expand({4, 2, 3});
  const auto grid = F::affine_grid(still, x.sizes(), false) +
                    field.permute({0, 2, 3, 1}) * torch::tensor({2.0F / 17, 2.0F / 12});
  const auto expected = F::grid_sample(
      x, grid,
      F::GridSampleFuncOptions().mode(torch::kBilinear).padding_mode(torch::kZeros).align_corners(false));
  EXPECT_TRUE(torch::allclose(got, expected, 1e-4, 1e-4));
  EXPECT_FALSE(torch::allclose(got, x, 0.1, 0.1));
}

TEST(Mixup, MixesEachImageWithItsPartner) {
  torch::manual_seed(4);
  const auto images = torch::rand({6, 1, 3, 3});
  double sum = 0;
  for (int i = 0; i < 200; ++i) {
    const auto mixed = mix_pairs(images, 0.4);
    EXPECT_GE(mixed.part, 0);
    EXPECT_LE(mixed.part, 1);
    EXPECT_TRUE(torch::allclose(
        mixed.images, images * mixed.part + images.index_select(0, mixed.partner) * (1 - mixed.part)));
    sum += mixed.part;
  }
  EXPECT_NEAR(sum / 200, 0.5, 0.1);  // Beta(0.4, 0.4) has mean 1/2 and deviation 0.37
}

}  // namespace
}  // namespace velum::train
