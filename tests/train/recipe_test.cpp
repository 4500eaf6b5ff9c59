// The recipes: each learns, resumes bit for bit, and its ingredients can be switched.
#include "train/recipe.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "base/error.h"
#include "model/onnx.h"
#include "support.h"
#include "train/exchange.h"
#include "train/warm_start.h"

namespace velum::train {
namespace {

std::string message_of(const std::function<void()>& run, ErrorKind kind) {
  try {
    run();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), kind);
    return e.what();
  }
  return "nothing was thrown";
}

void expect_parts(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

std::string write_relu_network(const std::string& name, const NetworkSpec& spec) {
  torch::manual_seed(3);
  Network net(spec);
  net->train();
  for (int i = 0; i < 20; ++i) net->forward(torch::rand({32, 1, 28, 28}));
  net->eval();
  const auto path = scratch(name);
  model::save_onnx(to_graph(*net), path);
  return path;
}

NetworkSpec relu_spec(const char* name, bool max_pool = false, std::int64_t classes = 10) {
  return build_network({.name = name,
                        .input_shape = {1, 28, 28},
                        .classes = classes,
                        .activation = ActivationKind::relu,
                        .max_pool = max_pool});
}

class EveryRecipe : public testing::TestWithParam<std::string> {};

TEST_P(EveryRecipe, LearnsAndLeavesAPolynomialNetwork) {
  auto o = small_options(GetParam());
  o.epochs = 4;
  std::vector<double> replaced;
  auto result = train(small_data(), o, [&](const EpochRecord& e) {
    if (!e.teacher) replaced.push_back(e.replaced);
  });
  ASSERT_EQ(replaced.size(), 4u);
  EXPECT_EQ(replaced.back(), 1);
  EXPECT_EQ(o.transition > 0, replaced.front() < 1);
  EXPECT_EQ(result.teacher_history.size(), o.teacher_epochs > 0 ? 2u : 0u);
  EXPECT_EQ(result.teacher.is_empty(), o.teacher_epochs == 0);
  EXPECT_GT(result.validation->accuracy, 0.6);
  model::require_polynomial(to_graph(*result.network));
}

TEST_P(EveryRecipe, ResumedRunsEqualAnUninterruptedOneBitForBit) {
  auto o = small_options(GetParam());
  o.average = 0.9;
  o.quantise_last = 0.4;
  o.augmentation.mixup = 0.3;
  o.keep_best = true;
  auto whole = train(small_data(), o);
  o.checkpoint = scratch(GetParam() + ".ckpt");
  std::filesystem::remove(teacher_checkpoint(o));
  o.resume = true;
  struct Interrupted {};
  const int phases = o.teacher_epochs > 0 ? 2 : 1;
  for (int phase = 0; phase < phases; ++phase) {  // once in the ReLU network, once after it
    EXPECT_THROW(train(small_data(), o,
                       [&](const EpochRecord& e) {
                         if (e.teacher == (phases == 2 && phase == 0) && e.epoch == 1 + phase)
                           throw Interrupted{};
                       }),
                 Interrupted);
    torch::rand({17});  // whatever happens to the generator in between
  }
  auto resumed = train(small_data(), o);
  EXPECT_EQ(resumed.history.size(), 3u);
  EXPECT_TRUE(same_network(*whole.network, *resumed.network));
  std::filesystem::remove(o.checkpoint);
  std::filesystem::remove(teacher_checkpoint(o));
}

TEST_P(EveryRecipe, ExplainsItself) {
  const auto text = describe_recipe(GetParam());
  EXPECT_GT(text.size(), 300u);
  expect_parts(describe_recipes(), {GetParam().c_str()});
  if (GetParam() == "transition") expect_parts(text, {"2111.03362", "--temperature 10", "--order layerwise"});
  if (GetParam() == "beaa") expect_parts(text, {"2403.10920"});
}

INSTANTIATE_TEST_SUITE_P(Recipes, EveryRecipe, testing::Values("direct", "beaa", "transition", "best"),
                         [](const auto& tested) { return tested.param; });

TEST(Recipes, EveryIngredientChangesTheNetwork) {
  auto o = small_options("best");
  o.epochs = 2;
  o.batch = 200;
  o.feature_weight = 0.5;
  o.smoothness = 0.1;
  o.coefficient_clip = 0.1;
  auto whole = train(small_data(), o);
  const auto changes = [&](auto change) {
    auto other = o;
    change(other);
    auto result = train(small_data(), other);
    return !same_network(*whole.network, *result.network);
  };
  EXPECT_FALSE(changes([](TrainOptions&) {}));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.transition = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.order = "layerwise"; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.distil_weight = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.feature_weight = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.range_penalty = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.average = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.quantise_last = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.schedule = "constant"; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.smoothness = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.coefficient_scale = 0.1; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.coefficient_clip = 0; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.coefficient_decay = 1; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.coefficients_first = 0.5; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.start = Start::fixed; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.augmentation.mixup = 0.2; }));
  EXPECT_TRUE(changes([](TrainOptions& x) { x.warm_start = false; }));
}

TEST(Recipes, CoefficientsFirstLeavesTheWeightsAlone) {
  auto o = small_options("beaa");
  o.coefficients_first = 1;
  auto result = train(small_data(), o);
  // Its own ReLU network, whose weights it began with, is its teacher too.
  EXPECT_TRUE(
      torch::equal(result.network->tensor("conv1", "weight"), result.teacher->tensor("conv1", "weight")));
  o.coefficients_first = 0.5;
  result = train(small_data(), o);
  EXPECT_FALSE(
      torch::equal(result.network->tensor("conv1", "weight"), result.teacher->tensor("conv1", "weight")));
}

TEST(Recipes, AGivenReluNetworkIsUsedInsteadOfTrainingOne) {
  auto o = small_options("transition");
  o.epochs = 2;
  o.teacher = write_relu_network("given.onnx", relu_spec("cryptonets"));
  auto result = train(small_data(), o);
  EXPECT_TRUE(result.teacher_history.empty());
  // A teacher of other layers teaches, but a network to start from has to be trained.
  o.teacher = write_relu_network("given.onnx", relu_spec("lenet5"));
  result = train(small_data(), o);
  EXPECT_EQ(result.teacher_history.size(), 2u);
  o.teacher_epochs = 0;
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user),
               {"--warm-start", "other layers"});
  std::filesystem::remove(o.teacher);
}

TEST(Recipes, APolynomialNetworkIsTrainedFurther) {
  auto o = small_options();
  o.range_penalty = 0;
  auto first = train(small_data(), o);
  const auto file = scratch("polynomial.onnx");
  model::save_onnx(to_graph(*first.network), file);
  const auto& images = small_data().test.images;
  const auto logits = predict(first.network, images);

  o.from = file;
  o.fixed_norms_last = 1;
  o.augmentation = {};
  o.learning_rate = 1e-12;  // as good as none: what it begins with is the network itself
  auto same = train(small_data(), o);
  EXPECT_TRUE(torch::allclose(predict(same.network, images), logits, 1e-3, 1e-3));

  const auto widest = [&](Network& network) {
    double out = 0;
    torch::NoGradGuard no_grad;
    network->run(images, {}, [&](const LayerSpec& layer, const torch::Tensor& in, const torch::Tensor&) {
      if (std::holds_alternative<ActivationSpec>(layer.op))
        out = std::max(out, in.abs().max().item<double>());
    });
    return out;
  };
  o.learning_rate = 1e-3;
  o.range_penalty = 0.5;
  o.range_limit = 1;
  o.range_peak = 1;
  auto tamed = train(small_data(), o);
  EXPECT_LT(widest(tamed.network), 0.9 * widest(first.network));

  o.transition = 0.3;
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user),
               {"polynomial already", "--transition 0"});
  std::filesystem::remove(file);
}

TEST(Recipes, FeatureMatchingNeedsATeacherOfTheSameLayers) {
  auto o = small_options();
  o.epochs = 1;
  o.feature_weight = 1;
  o.teacher = write_relu_network("features.onnx", relu_spec("lenet5"));
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user), {"--feature-weight", "lenet5"});
  std::filesystem::remove(o.teacher);
}

TEST(Recipes, TransitionWantsAveragePooling) {
  auto o = small_options("transition");
  o.epochs = 2;
  o.from = write_relu_network("pooled.onnx", relu_spec("lenet5", true));
  o.teacher_epochs = 0;
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user),
               {"max pooling", "--teacher-epochs"});
  o.teacher_epochs = 1;
  auto result = train(small_data(), o);
  EXPECT_EQ(result.teacher_history.size(), 1u);
  EXPECT_FALSE(has_max_pool(result.network->spec()));
  model::require_polynomial(to_graph(*result.network));
  std::filesystem::remove(o.from);
}

TEST(Recipes, ATeacherOfOtherShapeIsRefused) {
  auto o = small_options();
  o.teacher = write_relu_network("shape.onnx", relu_spec("lenet5", false, 4));
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user),
               {"--teacher", "4 outputs", "10 classes"});
  auto data = small_data();
  data.train.images = torch::rand({1000, 1, 32, 32});
  data.image_shape = {1, 32, 32};
  expect_parts(message_of([&] { train(data, o); }, ErrorKind::user), {"1x28x28", "1x32x32"});
  std::filesystem::remove(o.teacher);
}

TEST(Stopping, EarlyStopEndsARunThatNoLongerImproves) {
  auto o = small_options();
  o.epochs = 40;
  o.learning_rate = 1e-12;  // validation stalls at once
  o.schedule = "constant";
  o.early_stop = 3;
  const auto result = train(small_data(), o);
  EXPECT_LT(result.history.size(), 40u);
  EXPECT_GE(result.history.size(), 4u);
}

TEST(Stopping, KeepBestGivesTheEpochWithTheBestValidation) {
  auto o = small_options();
  o.epochs = 6;
  o.learning_rate = 0.05;  // accuracy jumps about
  o.schedule = "constant";
  o.keep_best = true;
  const auto result = train(small_data(), o);
  double best = 0;
  for (const auto& e : result.history) best = std::max(best, e.validation_accuracy);
  EXPECT_DOUBLE_EQ(result.validation->accuracy, best);
}

TEST(Checkpoints, OfAnotherNetworkOrOtherOptionsAreRefused) {
  auto o = small_options();
  o.epochs = 1;
  o.checkpoint = scratch("other.ckpt");
  train(small_data(), o);
  o.resume = true;
  auto other = o;
  other.network = "lenet5";
  expect_parts(message_of([&] { train(small_data(), other); }, ErrorKind::user),
               {"another network", "conv1"});
  other = o;
  other.epochs = 2;
  other.learning_rate = 1e-4;
  expect_parts(message_of([&] { train(small_data(), other); }, ErrorKind::user),
               {"--epochs 1", "--allow-changes"});
  other.allow_changes = true;
  EXPECT_EQ(train(small_data(), other).history.size(), 2u);
  std::filesystem::remove(o.checkpoint);
}

TEST(Checkpoints, NoSpaceIsReportedAndTheOldOneStays) {
  auto o = small_options();
  o.epochs = 1;
  o.checkpoint = scratch("full.ckpt");
  train(small_data(), o);
  const auto before = std::filesystem::file_size(o.checkpoint);
  o.epochs = 2;
  o.resume = o.allow_changes = true;
  rlimit limit{}, old{};
  getrlimit(RLIMIT_FSIZE, &old);
  limit = old;
  limit.rlim_cur = 1000;  // bytes: as if the disk were full
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  const auto message = message_of([&] { train(small_data(), o); }, ErrorKind::failure);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  expect_parts(message, {"checkpoint after epoch 2", o.checkpoint.c_str()});
  EXPECT_EQ(std::filesystem::file_size(o.checkpoint), before);
  std::filesystem::remove(o.checkpoint);
}

// --warm-start=false leaves the weights of --from out, and nothing else: the layers are its, and it teaches.
TEST(Recipes, ColdStartsFromALoadedNetworkTakeItsLayersOnly) {
  auto o = small_options("beaa");
  o.from = write_relu_network("cold.onnx", relu_spec("cryptonets"));
  o.epochs = 1;
  o.learning_rate = 1e-12;  // what it begins with is what it ends with
  o.coefficients_first = 0;
  const auto first_weights = [&](bool warm) {
    o.warm_start = warm;
    auto result = train(small_data(), o);
    EXPECT_FALSE(result.teacher.is_empty());
    return result.network->tensor(result.network->spec().layers[0].name, "weight").clone();
  };
  const auto given = from_graph(model::load_onnx(o.from));
  const auto expected = given->tensor(given->spec().layers[0].name, "weight");
  EXPECT_TRUE(torch::allclose(first_weights(true), expected, 1e-4, 1e-5));
  EXPECT_FALSE(torch::allclose(first_weights(false), expected, 1e-1, 1e-2));
  std::filesystem::remove(o.from);
}

TEST(Recipes, FeaturesWithoutATeacherAreRefused) {
  auto o = small_options("direct");
  o.feature_weight = 1;
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user),
               {"--feature-weight 1", "--teacher"});
}

// The same options on other images, or with another teacher, would not be the run that was interrupted.
TEST(Checkpoints, OfOtherImagesOrAnotherTeacherAreRefused) {
  auto o = small_options();
  o.epochs = 1;
  o.checkpoint = scratch("given.ckpt");
  train(small_data(), o);
  o.epochs = 2;
  o.resume = o.allow_changes = true;
  train(small_data(), o);  // as the options say, what differs is allowed
  o.allow_changes = false;
  auto data = small_data();
  data.train.images = 1 - data.train.images;
  expect_parts(message_of([&] { train(data, o); }, ErrorKind::user),
               {o.checkpoint.c_str(), "other images", "1000 training and 500 validation", "--allow-changes"});
  data = small_data();
  data.train.labels = data.train.labels.roll(1);
  expect_parts(message_of([&] { train(data, o); }, ErrorKind::user), {"other images"});

  auto relu = o;
  relu.activation = ActivationKind::relu;
  relu.checkpoint = "";
  relu.resume = false;
  relu.epochs = 1;
  const auto teacher = [&](std::uint64_t seed) {
    relu.seed = seed;
    const auto path = scratch("given.onnx");
    model::save_onnx(to_graph(*train(small_data(), relu).network), path);
    return path;
  };
  std::filesystem::remove(o.checkpoint);
  o.teacher = teacher(1);
  train(small_data(), o);
  o.teacher = teacher(2);
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user), {"other teacher"});
  std::filesystem::remove(o.checkpoint);
  std::filesystem::remove(o.teacher);
}

TEST(Checkpoints, OfAnotherOptimiserAreRefusedEvenIfChangesAreAllowed) {
  auto o = small_options();
  o.epochs = 1;
  o.checkpoint = scratch("optimiser.ckpt");
  train(small_data(), o);
  o.epochs = 2;
  o.resume = o.allow_changes = true;
  o.optimiser = "sgd";
  expect_parts(message_of([&] { train(small_data(), o); }, ErrorKind::user),
               {"--optimiser adam", "sgd", "remove the file"});
  std::filesystem::remove(o.checkpoint);
}

TEST(Checkpoints, DivergenceOffersTheLastGoodOne) {
  auto o = small_options();
  o.epochs = 2;
  o.checkpoint = scratch("diverged.ckpt");
  auto data = small_data();
  data.train.images = data.train.images.clone();
  const auto message =
      message_of([&] { train(data, o, [&](const EpochRecord&) { data.train.images.fill_(std::nan("")); }); },
                 ErrorKind::failure);
  expect_parts(message, {"epoch 2", "conv1", o.checkpoint.c_str(), "after epoch 1", "--resume"});
  std::filesystem::remove(o.checkpoint);
}

}  // namespace
}  // namespace velum::train
