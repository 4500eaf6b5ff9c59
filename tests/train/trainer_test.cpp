// The training loop: learns, repeats itself, resumes, refuses.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
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
  auto o = small_options();
  o.threads = 2;
  auto with_two = train(small_data(), o), again = train(small_data(), o);
  EXPECT_TRUE(same_network(*with_two.network, *again.network));
  o.threads = 1;
  auto first = train(small_data(), o), second = train(small_data(), o);
  EXPECT_TRUE(same_network(*first.network, *second.network));
  auto other = o;
  other.seed = 2;
  auto third = train(small_data(), other);
  EXPECT_FALSE(same_network(*first.network, *third.network));
}

// A run that stops after an epoch and goes on, beside one that does not. Its options, with the checkpoint
// that it leaves.
TrainOptions expect_same_when_resumed(TrainOptions o, int after, const TrainingData& data = small_data()) {
  auto whole = train(data, o);
  o.checkpoint = scratch("resume.ckpt");
  o.resume = true;
  struct Interrupted {};
  EXPECT_THROW(train(data, o,
                     [&](const EpochRecord& e) {
                       if (e.epoch == after) throw Interrupted{};
                     }),
               Interrupted);
  torch::rand({17});  // whatever happens to the generator in between
  int epochs = 0;
  auto resumed = train(data, o, [&](const EpochRecord&) { ++epochs; });
  EXPECT_EQ(epochs, 3 - after);
  EXPECT_EQ(resumed.history.size(), 3u);
  for (std::size_t e = 0; e < 3; ++e)
    EXPECT_EQ(resumed.history[e].validation_loss, whole.history[e].validation_loss) << e;
  EXPECT_TRUE(same_network(*whole.network, *resumed.network));
  EXPECT_FALSE(whole.start.empty());
  EXPECT_EQ(resumed.start.size(), whole.start.size());
  for (const auto& [layer, start] : whole.start) {
    EXPECT_TRUE(torch::equal(start.a, resumed.start.at(layer).a)) << layer;
    EXPECT_TRUE(torch::equal(start.b, resumed.start.at(layer).b)) << layer;
    EXPECT_TRUE(torch::equal(start.c, resumed.start.at(layer).c)) << layer;
  }
  return o;
}

TEST(Trainer, ResumedRunEqualsAnUninterruptedOneBitForBit) {
  const auto o = expect_same_when_resumed(small_options(), 2);
  auto other = o;
  other.learning_rate *= 2;
  EXPECT_THROW(train(small_data(), other), Error);
  std::ofstream(o.checkpoint) << "not a checkpoint";
  EXPECT_THROW(train(small_data(), o), Error);
  std::filesystem::remove(o.checkpoint);
}

// A network of squares may overflow on images that it does not learn from.
TEST(Trainer, ResumesWhereTheValidationLossIsNotFinite) {
  auto data = small_data();
  data.validation.images = data.validation.images.clone();
  data.validation.images[0].fill_(1e30F);
  auto o = small_options();
  o.schedule = "plateau";
  o.plateau_patience = 1;
  std::filesystem::remove(expect_same_when_resumed(o, 2, data).checkpoint);
  const auto whole = train(data, o);
  for (const auto& e : whole.history) EXPECT_TRUE(std::isinf(e.validation_loss)) << e.epoch;
  EXPECT_EQ(whole.history[2].learning_rate,
            whole.history[0].learning_rate / 2);  // as after any loss no better
}

// A teacher of other digits than the labels say: its pupil learns to see as it does.
TEST(Trainer, DistilsFromAReluTeacherReadFromOnnx) {
  auto o = small_options();
  o.activation = ActivationKind::relu;
  auto shifted = small_data();
  shifted.train.labels = (shifted.train.labels + 1) % 10;
  const auto path = scratch("teacher.onnx");
  model::save_onnx(to_graph(*train(shifted, o).network), path);
  o.activation = ActivationKind::element;
  o.teacher = path;
  o.distil_weight = 20;
  EXPECT_LT(train(small_data(), o).validation->accuracy, 0.3);
  o.distil_weight = 0;
  const auto student = train(small_data(), o);
  EXPECT_GT(student.validation->accuracy, 0.6);

  auto other = digits(300);
  other.classes.push_back("eleventh");
  EXPECT_THROW(train(other, o), Error);
  std::filesystem::remove(path);
}

TEST(Trainer, PenaltyKeepsPreActivationsCloser) {
  const auto data = digits(3000);
  auto o = small_options();
  o.epochs = 4;
  const auto widest = [&](double penalty, double peak) {
    o.range_penalty = penalty;
    o.range_peak = peak;
    o.range_limit = 2;
    auto result = train(data, o);
    auto graph = to_graph(*result.network);
    record_ranges(graph, result.network, data.train.images, 0);
    const auto& r = graph.ranges.at("dense1_norm");
    return r.high - r.low;
  };
  const double free = widest(0, 0);
  EXPECT_LT(widest(10, 0), 0.8 * free);
  EXPECT_LT(widest(0, 0.3), 0.8 * free);
}

TEST(Trainer, RangesComeFirstAndTheQuadraticsStartOnWhatIsLeft) {
  auto o = small_options();
  o.range_limit = 1;
  o.range_peak = 1;
  const auto at_once = train(small_data(), o);
  o.ranges_first = 0.5;  // of three epochs: until the middle of the second
  o.average = 0.9;
  const auto after = train(small_data(), o);
  const auto shares = [](const TrainResult& r) {
    std::vector<double> out;
    for (const auto& e : r.history) out.push_back(e.replaced);
    return out;
  };
  EXPECT_EQ(shares(at_once), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(shares(after), (std::vector<double>{0, 1, 1}));
  ASSERT_FALSE(after.start.empty());
  for (const auto& [layer, start] : after.start)
    EXPECT_FALSE(torch::equal(start.a, at_once.start.at(layer).a)) << layer;
  for (const int epoch : {1, 2}) std::filesystem::remove(expect_same_when_resumed(o, epoch).checkpoint);
}

TEST(Trainer, FixedNormsKeepTheirStatistics) {
  const auto mean_after = [](double part, int epochs = 3) {
    auto o = small_options();
    o.epochs = epochs;
    o.fixed_norms_last = part;
    return train(small_data(), o).network->tensor("dense1_norm", "running_mean");
  };
  const auto none = mean_after(1), all = mean_after(0), some = mean_after(0.5);
  EXPECT_TRUE(torch::equal(none, mean_after(1, 1)));  // as the activations' start left them
  EXPECT_FALSE(torch::equal(all, none));
  EXPECT_FALSE(torch::equal(some, none));
  EXPECT_FALSE(torch::equal(some, all));
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
  EXPECT_TRUE(refused([](TrainOptions& o) { o.ranges_first = 1.5; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.learning_rate = INFINITY; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.channels = 2; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.keep_best = o.all_data = true; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.augmentation.shift = -3; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.augmentation.rotate = NAN; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.augmentation.scale = 1; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.augmentation.elastic = -1; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.augmentation.intensity = 500; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.augmentation.cutout = -3; }));
  EXPECT_TRUE(refused([](TrainOptions& o) { o.ranges_first = 0.6, o.transition = 0.4; }));
}

}  // namespace
}  // namespace velum::train
