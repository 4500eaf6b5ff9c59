// The training loop: learns, repeats itself, resumes, refuses.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "data/dataset.h"
#include "model/onnx.h"
#include "support.h"
#include "train/exchange.h"

namespace velum::train {
namespace {

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
  EXPECT_TRUE(same_network(*first.network, *second.network));
  auto other = o;
  other.seed = 2;
  auto third = train(small_data(), other);
  EXPECT_FALSE(same_network(*first.network, *third.network));
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
  EXPECT_TRUE(same_network(*whole.network, *resumed.network));

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
