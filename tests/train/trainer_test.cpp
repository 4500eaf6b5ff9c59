// The training loop: learns, repeats itself, resumes, refuses.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/make_files.h"
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
  EXPECT_TRUE(refused([](TrainOptions& o) { o.ranges_first = 0.6, o.transition = 0.4; }));
}

// Class folders of little grey images, one more class in the test split.
std::string class_folders() {
  const std::filesystem::path folder = scratch("folders");
  for (const std::string split : {"train", "val", "test"})
    for (const std::string name : {"cat", "dog", "owl"}) {
      if (name == "owl" && split != "test") continue;
      std::filesystem::create_directories(folder / split / name);
      for (int i = 0; i < 4; ++i) {
        const std::vector<std::uint8_t> pixels(64, static_cast<std::uint8_t>(40 * i));
        const auto bytes = velum::testing::png(1, 8, 8, pixels);
        write_file_atomically((folder / split / name / fmt::format("{}.png", i)).string(),
                              std::span<const std::uint8_t>(bytes));
      }
    }
  return folder.string();
}

std::string message_of(const TrainOptions& o) {
  try {
    load_training_data(o);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Folders, AreResizedAndBadImagesNamedThenSkipped) {
  const auto folder = class_folders();
  std::filesystem::remove_all(folder + "/test/owl");
  TrainOptions o;
  o.data = "folder:" + folder;
  o.image_size = 12;
  auto data = load_training_data(o);
  EXPECT_EQ(data.image_shape, (model::Shape{1, 12, 12}));
  EXPECT_EQ(data.train.count(), 8);
  EXPECT_EQ(data.classes, (std::vector<std::string>{"cat", "dog"}));
  std::ofstream(folder + "/train/cat/2.png") << "no image";
  EXPECT_NE(message_of(o).find("cat/2.png"), std::string::npos) << message_of(o);
  EXPECT_NE(message_of(o).find("--skip-bad"), std::string::npos) << message_of(o);
  o.skip_bad = true;
  data = load_training_data(o);
  EXPECT_EQ(data.train.count(), 7);
  ASSERT_EQ(data.notes.size(), 1u);
  EXPECT_NE(data.notes[0].find("cat/2.png"), std::string::npos);
  o.data = "digits";
  EXPECT_NE(message_of(o).find("--image-size"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(Folders, AClassWithoutTrainingImagesIsNamed) {
  const auto folder = class_folders();
  TrainOptions o;
  o.data = "folder:" + folder;
  EXPECT_NE(message_of(o).find("class owl"), std::string::npos) << message_of(o);
  std::filesystem::create_directories(folder + "/train/owl");
  EXPECT_NE(message_of(o).find("owl"), std::string::npos) << message_of(o);
  EXPECT_NE(message_of(o).find("no .png"), std::string::npos) << message_of(o);
  std::filesystem::remove_all(folder);
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
