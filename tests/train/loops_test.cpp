// The inner loops: every variant that this processor runs against the plain one, and the layers that are made
// of them against torch's own.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "train/loops/choose.h"
#include "train/norm_kernel.h"

namespace velum::train {
namespace {

using Floats = std::vector<float>;

Floats random_floats(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.3F, 2.0F);
  Floats out(count);
  for (auto& v : out) v = normal(generator);
  return out;
}

void expect_near(const Floats& found, const Floats& expected, const char* what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], 1e-4F * (1 + std::abs(expected[i]))) << what << " " << i;
}

// Shapes around and between the widths of vectors.
constexpr std::int64_t kSizes[] = {1, 3, 8, 15, 16, 17, 49, 64, 131};

class Variant : public testing::TestWithParam<const Loops*> {};

TEST_P(Variant, QuadraticIsThatOfRef) {
  for (const auto elements : kSizes)
    for (const float share : {1.0F, 0.3F}) {
      constexpr std::int64_t images = 5;
      const auto size = static_cast<std::size_t>(images * elements),
                 wide = static_cast<std::size_t>(elements);
      const auto x = random_floats(size, 1), gy = random_floats(size, 2), a = random_floats(wide, 3),
                 b = random_floats(wide, 4), c = random_floats(wide, 5);
      const std::int64_t begin = elements / 3;  // the elements before it are another thread's
      struct Result {
        Floats y, over, gx, ga, gb, gc;
      } results[2];
      for (const bool ref : {false, true}) {
        const auto& loops = ref ? kRefLoops : *GetParam();
        auto& r = results[ref];
        r = {Floats(size, 9), Floats(wide), Floats(size, 9), Floats(wide), Floats(wide), Floats(wide)};
        loops.quadratic({x.data(), a.data(), b.data(), c.data(), r.y.data(), r.over.data(), images, elements,
                         share, 1.5F},
                        begin, elements);
        loops.quadratic_backward({x.data(), a.data(), b.data(), gy.data(), r.gx.data(), r.ga.data(),
                                  r.gb.data(), r.gc.data(), images, elements, share, 1.5F, 0.25F},
                                 begin, elements);
        for (std::int64_t n = 0; n < images; ++n)
          for (std::int64_t e = 0; e < begin; ++e) {
            const auto i = static_cast<std::size_t>(n * elements + e);
            ASSERT_EQ(r.y[i], 9);
            ASSERT_EQ(r.gx[i], 9);
          }
      }
      const auto& [found, expected] = results;
      expect_near(found.y, expected.y, "y");
      expect_near(found.over, expected.over, "over");
      expect_near(found.gx, expected.gx, "gx");
      expect_near(found.ga, expected.ga, "ga");
      expect_near(found.gb, expected.gb, "gb");
      expect_near(found.gc, expected.gc, "gc");
    }
}

TEST_P(Variant, LargestIsFoundWhereverItStands) {
  for (const auto size : kSizes) {
    auto x = random_floats(static_cast<std::size_t>(size), 6);
    for (std::size_t at = 0; at < x.size(); ++at) {
      auto changed = x;
      changed[at] = at % 2 ? 50.0F : -50.0F;
      ASSERT_EQ(GetParam()->largest(changed.data(), size), 50.0F) << size << " " << at;
      changed[at] = std::numeric_limits<float>::quiet_NaN();
      ASSERT_FALSE(std::isnan(GetParam()->largest(changed.data(), size)));
    }
  }
  EXPECT_EQ(GetParam()->largest(nullptr, 0), 0);
}

TEST_P(Variant, PoolsAreThoseOfRef) {
  for (const auto& window : {Window{2, 2, 2, 2}, Window{3, 3, 2, 2}, Window{2, 3, 1, 4}, Window{3, 3, 1, 1}})
    for (const std::int64_t w : {5, 8, 27, 55, 112}) {
      const std::int64_t h = 7;
      const PoolPlane p{h, w, (h - window.kernel_h) / window.stride_h + 1,
                        (w - window.kernel_w) / window.stride_w + 1, window};
      const auto small = static_cast<std::size_t>(p.out_h * p.out_w), large = static_cast<std::size_t>(h * w);
      const auto x = random_floats(large, 7), gy = random_floats(small, 8);
      Floats y[2], gx[2], row(static_cast<std::size_t>(w));
      for (const bool ref : {false, true}) {
        const auto& loops = ref ? kRefLoops : *GetParam();
        y[ref].assign(small, 9);
        gx[ref].assign(large, 0.5F);
        loops.pool(x.data(), y[ref].data(), p, row.data());
        loops.spread(gy.data(), gx[ref].data(), p, row.data());
      }
      expect_near(y[0], y[1], "y");
      expect_near(gx[0], gx[1], "gx");
    }
}

TEST_P(Variant, NormIsThatOfRef) {
  for (const auto plane : kSizes) {
    constexpr std::int64_t images = 4, channels = 3;
    const auto size = static_cast<std::size_t>(images * channels * plane);
    const auto x = random_floats(size, 9), gy = random_floats(size, 10), gamma = random_floats(channels, 11),
               beta = random_floats(channels, 12);
    Floats y[2], gx[2], ggamma[2], gbeta[2];
    for (const bool ref : {false, true}) {
      const auto& loops = ref ? kRefLoops : *GetParam();
      y[ref].assign(size, 9);
      gx[ref].assign(size, 9);
      ggamma[ref].assign(channels, 9);
      gbeta[ref].assign(channels, 9);
      Floats mean(channels), inverse(channels);
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto s = loops.norm(
            {x.data(), gamma.data(), beta.data(), y[ref].data(), images, channels, plane, 1e-5}, c);
        mean[static_cast<std::size_t>(c)] = static_cast<float>(s.mean);
        inverse[static_cast<std::size_t>(c)] = static_cast<float>(1 / std::sqrt(s.variance + 1e-5));
      }
      for (std::int64_t c = 0; c < channels; ++c)
        loops.norm_backward({x.data(), gy.data(), gamma.data(), mean.data(), inverse.data(), gx[ref].data(),
                             ggamma[ref].data(), gbeta[ref].data(), images, channels, plane},
                            c);
    }
    expect_near(y[0], y[1], "y");
    expect_near(gx[0], gx[1], "gx");
    expect_near(ggamma[0], ggamma[1], "ggamma");
    expect_near(gbeta[0], gbeta[1], "gbeta");
  }
}

INSTANTIATE_TEST_SUITE_P(Loops, Variant, testing::ValuesIn(usable_loops().begin(), usable_loops().end()),
                         [](const auto& variant) { return std::string(variant.param->name); });

TEST(Norm, IsTorchsOwn) {
  for (const auto& sizes : {std::vector<std::int64_t>{6, 3, 9, 7}, {2, 1, 1, 1}, {5, 4, 16, 16}}) {
    torch::manual_seed(11);
    torch::nn::BatchNorm2d layers[2] = {torch::nn::BatchNorm2d(sizes[1]), torch::nn::BatchNorm2d(sizes[1])};
    const auto gamma = torch::randn({sizes[1]}), beta = torch::randn({sizes[1]});
    torch::Tensor values[2], gradients[2];
    for (int round = 0; round < 2; ++round) {  // the second: on running statistics that are not the first's
      const auto x0 = torch::randn(sizes) * 3 + 100, weight = torch::randn(sizes);
      for (const bool plain : {false, true}) {
        auto& layer = layers[plain];
        {
          const torch::NoGradGuard no_grad;
          layer->weight.copy_(gamma);
          layer->bias.copy_(beta);
        }
        layer->zero_grad();
        const auto x = x0.clone().set_requires_grad(true);
        const auto y = plain ? layer->forward(x) : batch_norm(*layer, x);
        (y * weight).sum().backward();
        values[plain] = y.detach();
        gradients[plain] = x.grad();
      }
      EXPECT_TRUE(torch::allclose(values[0], values[1], 1e-3, 1e-3)) << values[0] - values[1];
      EXPECT_TRUE(torch::allclose(gradients[0], gradients[1], 1e-3, 1e-3)) << gradients[0] - gradients[1];
      EXPECT_TRUE(torch::allclose(layers[0]->weight.grad(), layers[1]->weight.grad(), 1e-3, 1e-2));
      EXPECT_TRUE(torch::allclose(layers[0]->bias.grad(), layers[1]->bias.grad(), 1e-4, 1e-4));
      EXPECT_TRUE(torch::allclose(layers[0]->running_mean, layers[1]->running_mean, 1e-5, 1e-5));
      EXPECT_TRUE(torch::allclose(layers[0]->running_var, layers[1]->running_var, 1e-4, 1e-5));
      EXPECT_TRUE(torch::equal(layers[0]->num_batches_tracked, layers[1]->num_batches_tracked));
    }
    // With running statistics it is torch itself.
    const auto x = torch::randn(sizes);
    layers[0]->eval();
    EXPECT_TRUE(torch::equal(batch_norm(*layers[0], x), layers[0]->forward(x)));
  }
}

TEST(Norm, DoesNotDependOnThreads) {
  torch::manual_seed(12);
  const auto x = torch::randn({8, 5, 13, 13});
  torch::Tensor y[2];
  const int before = at::get_num_threads();
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    torch::nn::BatchNorm2d layer(5);
    y[threads - 1] = batch_norm(*layer, x).detach();
  }
  at::set_num_threads(before);
  EXPECT_TRUE(torch::equal(y[0], y[1]));
}

}  // namespace
}  // namespace velum::train
