// The training loop: learns, repeats itself, resumes, refuses.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "data/dataset.h"
#include "model/onnx.h"
#include "train/exchange.h"

namespace velum::train {
namespace {

// The built-in digits, few enough for a test.
TrainingData digits(std::size_t train_images) {
  TrainingData out;
  const auto part = [&](data::Split split, std::size_t limit) {
    data::LoadOptions options;
    options.split = split;
    options.limit = limit;
    const auto set = data::load("digits", options);
    out.classes = set.classes;
    out.image_shape = {set.channels, set.height, set.width};
    return to_samples(set);
  };
  out.name = "digits";
  out.train = part(data::Split::train, train_images);
  out.validation = part(data::Split::validation, 500);
  out.test = part(data::Split::test, 1000);
  return out;
}

const TrainingData& small_data() {
  static const TrainingData data = digits(1000);
  return data;
}

TrainOptions small_options() {
  TrainOptions o;
  o.data = "digits";
  o.epochs = 3;
  o.batch = 100;
  o.threads = 1;
  o.augmentation = {.shift = 1, .rotate = 5};
  return o;
}

std::string scratch(const std::string& name) {
  const auto path = std::filesystem::temp_directory_path() / ("velum_train_test_" + name);
  std::filesystem::remove(path);
  return path.string();
}

bool same_parameters(NetworkImpl& l, NetworkImpl& r) {
  const auto lp = l.parameters(), rp = r.parameters();
  if (lp.size() != rp.size()) return false;
  for (std::size_t i = 0; i < lp.size(); ++i)
    if (!torch::equal(lp[i], rp[i])) return false;
  const auto lb = l.buffers(), rb = r.buffers();
  for (std::size_t i = 0; i < lb.size(); ++i)
    if (!torch::equal(lb[i], rb[i])) return false;
  return true;
}

TEST(Schedule, WarmsUpAndEndsAtZero) {
  EXPECT_NEAR(schedule(0, 1000), 1.0 / 51, 1e-12);
  EXPECT_NEAR(schedule(50, 1000), 1, 1e-12);
  EXPECT_NEAR(schedule(525, 1000), 0.5, 1e-12);
  EXPECT_NEAR(schedule(1000, 1000), 0, 1e-12);
  for (int i = 51; i < 1000; ++i) EXPECT_LT(schedule(i, 1000), schedule(i - 1, 1000));
}

TEST(Trainer, LearnsTheDigits) {
  const auto data = digits(8000);
  auto o = small_options();
  o.epochs = 4;
  auto result = train(data, o);
  EXPECT_EQ(result.history.size(), 4u);
  EXPECT_GE(evaluate(result.network, data.test, 10).accuracy, 0.95);
}

TEST(Trainer, SameSeedSameNetworkOtherSeedOther) {
  const auto o = small_options();
  auto first = train(small_data(), o), second = train(small_data(), o);
  EXPECT_TRUE(same_parameters(*first.network, *second.network));
  auto other = o;
  other.seed = 2;
  auto third = train(small_data(), other);
  EXPECT_FALSE(same_parameters(*first.network, *third.network));
}

TEST(Trainer, ResumedRunEqualsAnUninterruptedOneBitForBit) {
  auto o = small_options();
  auto whole = train(small_data(), o);
  o.checkpoint = scratch("resume.ckpt");
  o.resume = true;
  struct Interrupted {};
  EXPECT_THROW(train(small_data(), o,
                     [](const EpochRecord& e) {
                       if (e.epoch == 2) throw Interrupted{};
                     }),
               Interrupted);
  torch::rand({17});  // whatever happens to the generator in between
  int epochs = 0;
  auto resumed = train(small_data(), o, [&](const EpochRecord&) { ++epochs; });
  EXPECT_EQ(epochs, 1);
  EXPECT_EQ(resumed.history.size(), 3u);
  EXPECT_TRUE(same_parameters(*whole.network, *resumed.network));

  auto other = o;
  other.learning_rate *= 2;
  EXPECT_THROW(train(small_data(), other), Error);
  std::ofstream(o.checkpoint) << "not a checkpoint";
  EXPECT_THROW(train(small_data(), o), Error);
  std::filesystem::remove(o.checkpoint);
}

TEST(Trainer, DistilsFromAReluTeacherReadFromOnnx) {
  auto o = small_options();
  o.activation = ActivationKind::relu;
  auto teacher = train(small_data(), o);
  const auto path = scratch("teacher.onnx");
  model::save_onnx(to_graph(*teacher.network), path);
  o.activation = ActivationKind::element;
  o.teacher = path;
  const auto student = train(small_data(), o);
  EXPECT_GT(student.validation->accuracy, 0.6);

  auto other = digits(300);
  other.classes.push_back("eleventh");
  EXPECT_THROW(train(other, o), Error);
  std::filesystem::remove(path);
}

TEST(Trainer, PenaltyKeepsPreActivationsCloser) {
  auto o = small_options();
  const auto widest = [&](double penalty) {
    o.range_penalty = penalty;
    o.range_limit = 2;
    auto result = train(small_data(), o);
    auto graph = to_graph(*result.network);
    record_ranges(graph, result.network, small_data().train.images, 0);
    const auto& r = graph.ranges.at("dense1_norm");
    return r.high - r.low;
  };
  EXPECT_LT(widest(10), 0.8 * widest(0));
}

TEST(Trainer, DivergenceStopsTheRunAndNamesTheLayer) {
  auto data = small_data();
  data.train.images = data.train.images.clone();
  data.train.images.index_put_({torch::indexing::Slice(), 0, 14, 14}, std::nan(""));
  try {
    train(data, small_options());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::failure);
    EXPECT_NE(std::string(e.what()).find("conv1"), std::string::npos) << e.what();
  }
}

TEST(Trainer, RefusesWhatCannotBe) {
  const auto refused = [](auto change) {
    auto o = small_options();
    change(o);
    try {
      train(small_data(), o);
    } catch (const Error& e) {
      return e.kind() == ErrorKind::user;
    }
    return false;
  };
  EXPECT_TRUE(refused([](TrainOptions& o) { o.batch = 5000; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.batch = 1; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.epochs = 0; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.learning_rate = 0; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.network = "resnet"; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.optimiser = "rmsprop"; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.resume = true; }));
}

TEST(Samples, RefuseMissingAndWrongLabels) {
  data::Dataset set;
  set.name = "made up";
  set.channels = set.height = set.width = 1;
  set.images = {0, 1};
  set.classes = {"a", "b"};
  EXPECT_THROW(to_samples(set), Error);
  set.labels = {0, 2};
  EXPECT_THROW(to_samples(set), Error);
  set.labels = {0, 1};
  EXPECT_EQ(to_samples(set).count(), 2);
}

}  // namespace
}  // namespace velum::train
