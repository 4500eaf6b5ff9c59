// Training elsewhere than on the processor: every option works there. The cases of a GPU are skipped where
// there is none; those of its stand-in never are.
#include "train/device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "stand_in_device.h"
#include "support.h"

namespace velum::train {
namespace {

using namespace std::string_literals;

std::string refusal(const std::string& device) {
  try {
    find_device(device);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Device, UnknownNamesAndMissingDevicesAreRefused) {
  EXPECT_TRUE(find_device("cpu").is_cpu());
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", ""})
    EXPECT_NE(refusal(name).find("choose cpu, cuda or cuda:K"), std::string::npos) << name;
  if (!torch::cuda::is_available())
    EXPECT_NE(refusal("cuda").find("finds no CUDA device"), std::string::npos);
  else
    EXPECT_NE(refusal("cuda:99").find("CUDA devices"), std::string::npos);
}

TEST(StandIn, RefusesWhatAGpuRefuses) {
  const auto there = find_device("xpu");
  const auto x = torch::arange(6, torch::kFloat32), y = x.to(there);
  EXPECT_TRUE(torch::equal((y * y + 1).cpu(), x * x + 1));
  EXPECT_TRUE(torch::equal((y * torch::tensor(2.0F)).cpu(), x * 2));  // a number may come from the processor
  EXPECT_THROW(y + x, c10::Error);
  EXPECT_THROW(y.index_select(0, torch::arange(2)), c10::Error);
  EXPECT_DEATH(std::puts(std::to_string(y.data_ptr<float>()[1]).c_str()), "");
}

// Not by later libtorch (2.14), whose autograd asks for streams of an accelerator that it knows.
bool stand_in_has_gradients() {
  try {
    auto x = torch::ones({2}, find_device("xpu")).requires_grad_();
    (x * x).sum().backward();
    return true;
  } catch (const c10::Error&) {
    return false;
  }
}

class EveryDevice : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "cuda" && !torch::cuda::is_available())
      GTEST_SKIP() << "this libtorch finds no CUDA device";
    if (GetParam() == "xpu" && TORCH_VERSION_MAJOR >= 2 && !stand_in_has_gradients())
      GTEST_SKIP() << "this libtorch takes gradients on devices of its own only";
    before_ = operations_on_stand_in();
  }
  void TearDown() override {
    if (GetParam() == "xpu" && !IsSkipped()) {
      EXPECT_GT(operations_on_stand_in(), before_ + 100);
    }
  }

  // The tensors of a step come from the loader, the augmentation, the teacher, the average and the penalties:
  // all of them at once, so that none is left on another device.
  TrainOptions all_options() const {
    auto o = small_options("best");
    o.device = GetParam();
    o.augmentation.mixup = 0.2;
    o.augmentation.cutout = 4;
    o.dropout = 0.1;
    o.class_weights = o.keep_best = true;
    o.average = 0.9;
    o.coefficient_clip = 1;
    o.coefficients_first = 0.2;
    o.smoothness = 0.01;
    o.feature_weight = 0.1;
    o.range_peak = 0.05;
    o.ranges_first = 0.2;
    o.transition = 0.3;
    o.fixed_norms_last = 0.3;
    o.quantise_last = 0.4;
    return o;
  }

 private:
  std::int64_t before_ = 0;
};

TEST_P(EveryDevice, TakesEveryOptionForEveryActivation) {
  for (const char* net : {"cryptonets", "lenet5"})
    for (const auto kind :
         {ActivationKind::square, ActivationKind::layer, ActivationKind::channel, ActivationKind::element}) {
      if (kind == ActivationKind::square && net != "cryptonets"s) continue;  // does not learn: four squares
      auto o = all_options();
      o.network = net;
      o.activation = kind;
      auto result = train(small_data(), o);
      EXPECT_TRUE(device_of(*result.network).is_cpu()) << "the result is for export and measurement";
      EXPECT_EQ(result.history.size(), 3u);
      EXPECT_GT(result.validation->accuracy, 0.4) << net << ", " << to_string(kind);
    }
}

// Loss and gradients of one step, penalties included, halfway from ReLUs to quadratics.
struct Step {
  double loss = 0;
  std::vector<torch::Tensor> gradients;
};

Step one_step(Network& network, const torch::Tensor& images, const torch::Device& device) {
  network->to(device);
  network->train();
  network->start_activations(images.to(device), Start::fixed, {});
  for (auto& activation : network->activations()) activation->set_share(0.5);
  const auto out = network->run(images.to(device), {1, 0.5, 0.1}, nullptr);
  const auto loss = out.logits.square().mean() + out.penalty;
  loss.backward();
  Step step{loss.item<double>(), {}};
  for (const auto& p : network->parameters()) step.gradients.push_back(p.grad().cpu());
  return step;
}

TEST_P(EveryDevice, GivesTheGradientsOfTheProcessor) {
  const std::pair<const char*, model::Shape> networks[] = {{"lenet5", {1, 28, 28}},
                                                           {"vgg", {3, 16, 16}},
                                                           {"resnet20", {3, 16, 16}},
                                                           {"alexnet", {1, 63, 63}},
                                                           {"squeezenet", {1, 47, 47}}};
  for (const auto& [name, shape] : networks) {
    SCOPED_TRACE(name);
    torch::manual_seed(5);
    Network here(build_network(
        {.name = name, .input_shape = shape, .classes = 4, .width = shape[1] > 28 ? 0.05 : 0.25}));
    Network there(here->spec());
    for (std::size_t i = 0; i < here->parameters().size(); ++i) {
      torch::NoGradGuard no_grad;
      there->parameters()[i].copy_(here->parameters()[i]);
    }
    const auto images = torch::rand({8, shape[0], shape[1], shape[2]});
    const auto expected = one_step(here, images, torch::kCPU);
    const auto got = one_step(there, images, find_device(GetParam()));
    EXPECT_NEAR(got.loss, expected.loss, 1e-3 * expected.loss);
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
      difference += (got.gradients[i] - expected.gradients[i]).square().sum().item<double>();
      size += expected.gradients[i].square().sum().item<double>();
    }
    EXPECT_LT(std::sqrt(difference), 1e-2 * std::sqrt(size));
  }
}

TEST_P(EveryDevice, TrainsWithOtherProductsOptimisersAndStarts) {
  auto o = small_options("direct");
  o.device = GetParam();
  o.optimiser = "sgd";
  o.learning_rate = 0.05;
  o.products = "bfloat16";
  o.start = Start::range;
  o.schedule = "plateau";
  EXPECT_GT(train(small_data(), o).validation->accuracy, 0.5);
}

TEST_P(EveryDevice, GoesOnFromACheckpoint) {
  const auto o = all_options();
  const auto whole = train(small_data(), o);
  auto interrupted = o;
  interrupted.checkpoint = scratch("device.ckpt");
  interrupted.resume = true;
  struct Interrupted {};
  EXPECT_THROW(train(small_data(), interrupted,
                     [](const EpochRecord& e) {
                       if (!e.teacher && e.epoch == 1) throw Interrupted{};
                     }),
               Interrupted);
  const auto resumed = train(small_data(), interrupted);
  EXPECT_EQ(resumed.history.size(), 3u);
  EXPECT_NEAR(resumed.validation->accuracy, whole.validation->accuracy, GetParam() == "cpu" ? 0 : 0.02);
  std::filesystem::remove(interrupted.checkpoint);
  std::filesystem::remove(teacher_checkpoint(interrupted));
}

TEST_P(EveryDevice, LearnsAsWellAsTheProcessor) {
  auto o = small_options("best");
  const auto here = train(small_data(), o);
  o.device = GetParam();
  const auto there = train(small_data(), o);
  EXPECT_NEAR(there.validation->accuracy, here.validation->accuracy, GetParam() == "cpu" ? 0 : 0.06);
}

INSTANTIATE_TEST_SUITE_P(Devices, EveryDevice, testing::Values("cpu", "cuda", "xpu"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace velum::train
