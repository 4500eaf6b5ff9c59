// Where the trainer leaves torch's own way for a faster one: the same results.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support.h"
#include "train/adamw.h"
#include "train/affine_layers.h"
#include "train/pool_kernel.h"
#include "train/quadratic_kernel.h"

namespace velum::train {
namespace {

using torch::Tensor;

template <typename Optimiser>
Optimiser two_groups(const std::vector<Tensor>& parameters) {
  torch::optim::AdamWOptions decayed(0.01), plain(0.003);
  decayed.weight_decay(0.1);
  plain.weight_decay(0);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Tensor>{parameters[0], parameters[1]},
                      std::make_unique<torch::optim::AdamWOptions>(decayed));
  groups.emplace_back(std::vector<Tensor>{parameters[2]},
                      std::make_unique<torch::optim::AdamWOptions>(plain));
  return Optimiser(groups, decayed);
}

std::vector<Tensor> some_parameters() {
  torch::manual_seed(5);
  return {torch::randn({40000}).set_requires_grad(true), torch::randn({3, 5, 2}).set_requires_grad(true),
          torch::randn({1}).set_requires_grad(true)};
}

void set_gradients(const std::vector<Tensor>& parameters, int step) {
  torch::manual_seed(static_cast<std::uint64_t>(100 + step));
  for (const auto& p : parameters) p.mutable_grad() = torch::randn(p.sizes());
}

TEST(FusedAdamW, TakesTorchsSteps) {
  auto mine = some_parameters(), theirs = some_parameters();
  auto fused = two_groups<FusedAdamW>(mine);
  auto plain = two_groups<torch::optim::AdamW>(theirs);
  for (int step = 0; step < 20; ++step) {
    set_gradients(mine, step);
    set_gradients(theirs, step);
    if (step == 7) mine[2].mutable_grad().reset(), theirs[2].mutable_grad().reset();  // left out of a step
    fused.step();
    plain.step();
  }
  for (std::size_t i = 0; i < mine.size(); ++i) {
    EXPECT_FALSE(torch::equal(mine[i], some_parameters()[i]));
    EXPECT_TRUE(torch::allclose(mine[i], theirs[i], 1e-5, 1e-6)) << i;
  }
}

TEST(FusedAdamW, StateGoesThroughACheckpoint) {
  auto straight = some_parameters(), stopped = some_parameters();
  auto first = two_groups<FusedAdamW>(straight), before = two_groups<FusedAdamW>(stopped);
  const auto steps = [](torch::optim::Optimizer& o, const std::vector<Tensor>& p, int from, int to) {
    for (int s = from; s < to; ++s) {
      set_gradients(p, s);
      o.step();
    }
  };
  steps(first, straight, 0, 6);
  steps(before, stopped, 0, 3);
  std::stringstream bytes;
  torch::serialize::OutputArchive out;
  before.save(out);
  out.save_to(bytes);
  auto after = two_groups<FusedAdamW>(stopped);
  torch::serialize::InputArchive in;
  in.load_from(bytes);
  after.load(in);
  steps(after, stopped, 3, 6);
  for (std::size_t i = 0; i < straight.size(); ++i) EXPECT_TRUE(torch::equal(straight[i], stopped[i])) << i;
}

// A view that is not contiguous cannot be walked over as an array.
TEST(FusedAdamW, LeavesOtherTensorsToTorch) {
  torch::manual_seed(6);
  const auto base = torch::randn({8, 6});
  const auto odd = [&] { return base.clone().t().detach().set_requires_grad(true); };
  auto mine = odd(), theirs = odd();
  FusedAdamW fused({mine}, torch::optim::AdamWOptions(0.01));
  torch::optim::AdamW plain({theirs}, torch::optim::AdamWOptions(0.01));
  mine.mutable_grad() = base.t();
  theirs.mutable_grad() = base.t();
  fused.step();
  plain.step();
  EXPECT_TRUE(torch::equal(mine, theirs));
}

TEST(Quadratic, PlainFormIsThatOfTheKernel) {
  torch::manual_seed(7);
  for (const auto& [pull, share] : {std::pair{RangePull{}, 1.0},
                                    {RangePull{1.25}, 1.0},
                                    {RangePull{}, 0.4},
                                    {RangePull{1.25, 0.3, 2}, 0.7}}) {
    std::vector<Tensor> gradients[2];
    Tensor values[2], penalties[2];
    const auto x0 = torch::randn({5, 2, 3}) * 2;
    const auto a0 = torch::randn({6}), b0 = torch::randn({6}), c0 = torch::randn({6}),
               weight = torch::randn({5, 2, 3});
    for (int plain = 0; plain < 2; ++plain) {
      std::vector<Tensor> in{x0.clone(), a0.clone(), b0.clone(), c0.clone()};
      for (auto& t : in) t.set_requires_grad(true);
      const auto out = plain ? quadratic_plainly(in[0], in[1], in[2], in[3], pull, share)
                             : quadratic(in[0], in[1], in[2], in[3], pull, share);
      auto loss = (out.y * weight).sum();
      ASSERT_EQ(out.penalty.defined(), static_cast<bool>(pull));
      if (pull) {
        loss = loss + 3 * out.penalty;
        penalties[plain] = out.penalty.detach();
        EXPECT_GT(penalties[plain].item<double>(), 0.1);
      }
      loss.backward();
      values[plain] = out.y.detach();
      for (const auto& t : in) gradients[plain].push_back(t.grad());
    }
    EXPECT_TRUE(torch::allclose(values[0], values[1], 1e-5, 1e-5));
    if (pull) {
      EXPECT_TRUE(torch::allclose(penalties[0], penalties[1], 1e-5, 1e-6));
    }
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_TRUE(torch::allclose(gradients[0][i], gradients[1][i], 1e-4, 1e-4))
          << pull.limit << " " << share << " " << i;
  }
}

TEST(Pool, IsTorchsOwn) {
  torch::manual_seed(9);
  for (const auto& [kh, kw, sh, sw] :
       {std::array<std::int64_t, 4>{2, 2, 2, 2}, {3, 3, 2, 2}, {2, 3, 1, 4}, {9, 8, 9, 8}}) {
    std::vector<Tensor> values, gradients;
    const auto x0 = torch::randn({2, 3, 9, 8});
    Tensor weight;
    for (const bool mine : {false, true}) {
      auto x = x0.clone().set_requires_grad(true);
      const auto y = mine ? average_pool(x, kh, kw, sh, sw) : torch::avg_pool2d(x, {kh, kw}, {sh, sw});
      if (!mine) weight = torch::randn(y.sizes());
      (y * weight).sum().backward();
      values.push_back(y.detach());
      gradients.push_back(x.grad());
    }
    EXPECT_TRUE(torch::allclose(values[0], values[1], 1e-5, 1e-6)) << kh << kw << sh << sw;
    EXPECT_TRUE(torch::allclose(gradients[0], gradients[1], 1e-5, 1e-6)) << kh << kw << sh << sw;
  }
  EXPECT_THROW(average_pool(torch::ones({1, 1, 3, 3}), 4, 1, 1, 1), c10::Error);
}

TEST(AffineLayers, PadOneSideAndBothAndRoundWhereAsked) {
  torch::manual_seed(8);
  const auto x = torch::randn({2, 3, 9, 8});
  for (const auto& [top, left, bottom, right] :
       {std::array<std::int64_t, 4>{0, 0, 0, 0}, {2, 1, 2, 1}, {1, 0, 2, 1}, {0, 2, 0, 2}}) {
    ConvolutionSpec spec{
        .outputs = 4, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 1, .bias = true};
    spec.pad_top = top;
    spec.pad_left = left;
    spec.pad_bottom = bottom;
    spec.pad_right = right;
    const auto layer = make_convolution(spec, 3);
    const auto expected = torch::conv2d(torch::constant_pad_nd(x, {left, right, top, bottom}), layer->weight,
                                        layer->bias, {2, 1});
    EXPECT_TRUE(torch::allclose(convolve(*layer, spec, x, Products::float32), expected, 1e-5, 1e-5));
    const auto low = convolve(*layer, spec, x, Products::bfloat16);
    ASSERT_EQ(low.scalar_type(), torch::kFloat32);
    EXPECT_FALSE(torch::equal(low, expected));
    EXPECT_TRUE(torch::allclose(low, expected, 0.02, 0.03));
  }
  torch::nn::Linear layer(8, 5);
  const auto rows = torch::randn({3, 8});
  EXPECT_TRUE(torch::allclose(dense(*layer, rows, Products::bfloat16), layer->forward(rows), 0.02, 0.03));
}

TEST(Products, AreAdvisedAgainstWhereTheProcessorLacksThem) {
  CpuFeatures none, wide, all;
  wide.avx512 = all.avx512 = all.avx512_bf16 = true;
  for (const auto& cpu : {none, wide, all}) EXPECT_EQ(slow_products(Products::float32, cpu), "");
  EXPECT_EQ(slow_products(Products::bfloat16, all), "");
  EXPECT_NE(slow_products(Products::bfloat16, wide).find("no gain"), std::string::npos);
  const auto slow = slow_products(Products::bfloat16, none);
  EXPECT_NE(slow.find("many times longer"), std::string::npos);
  EXPECT_NE(slow.find("--products float32"), std::string::npos);
}

TEST(Trainer, LearnsWithLowProducts) {
  auto o = small_options();
  o.products = "bfloat16";
  const auto low = train(small_data(), o);
  o.products = "float32";
  const auto exact = train(small_data(), o);
  EXPECT_NEAR(low.validation->accuracy, exact.validation->accuracy, 0.06);
  EXPECT_GT(low.validation->accuracy, 0.7);
}

}  // namespace
}  // namespace velum::train
