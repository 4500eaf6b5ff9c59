// Learning rates, replacement of ReLUs and stopping as functions of where a run stands.
#include "train/schedule.h"

#include <gtest/gtest.h>

#include <limits>

namespace velum::train {
namespace {

std::vector<EpochRecord> history_of(const std::vector<double>& validation_losses) {
  std::vector<EpochRecord> out;
  for (const double loss : validation_losses) {
    EpochRecord e;
    e.epoch = static_cast<int>(out.size()) + 1;
    e.validation_loss = loss;
    out.push_back(e);
  }
  return out;
}

TEST(Schedule, WarmsUpAndEndsAtZero) {
  EXPECT_NEAR(schedule(0, 1000), 1.0 / 51, 1e-12);
  EXPECT_NEAR(schedule(50, 1000), 1, 1e-12);
  EXPECT_NEAR(schedule(525, 1000), 0.5, 1e-12);
  EXPECT_NEAR(schedule(1000, 1000), 0, 1e-12);
  for (int i = 51; i < 1000; ++i) EXPECT_LT(schedule(i, 1000), schedule(i - 1, 1000));
}

TEST(Schedule, PlateauHalvesAfterMoreThanPatienceEpochsWithoutABetterLoss) {
  EXPECT_EQ(plateau_factor(history_of({3, 2, 1}), 2), 1);
  EXPECT_EQ(plateau_factor(history_of({1, 2, 2}), 2), 1);
  const double overflowed = std::numeric_limits<double>::infinity();
  EXPECT_EQ(plateau_factor(history_of({overflowed, overflowed, overflowed}), 2), 0.5);  // no better than none
  EXPECT_EQ(plateau_factor(history_of({overflowed, overflowed, 3}), 2), 1);
  EXPECT_EQ(plateau_factor(history_of({1, 2, 2, 1}), 2), 0.5);  // an equal loss is no better one
  EXPECT_EQ(plateau_factor(history_of({1, 2, 2, 2, 2, 2, 2}), 2), 0.25);
  EXPECT_EQ(plateau_factor(history_of({1, 2, 2, 0.5, 2, 2}), 2), 1);
  auto trained = history_of({-1, -1, -1, -1});  // no validation split: the training loss decides
  for (auto& e : trained) e.loss = e.epoch == 1 ? 1 : 2;
  EXPECT_EQ(plateau_factor(trained, 2), 0.5);
}

// While ReLUs are replaced the loss rises from that of the ReLU network: no reason to halve, and nothing to
// be measured against afterwards.
TEST(Schedule, PlateauCountsOnlyEpochsOfTheFinishedNetwork) {
  const auto after = [](std::vector<double> losses) {
    auto history = history_of(losses);
    for (std::size_t i = 0; i < 4; ++i) history[i].replaced = 0.2 * static_cast<double>(i);
    return plateau_factor(history, 2);
  };
  EXPECT_EQ(after({1, 2, 3, 4}), 1);
  EXPECT_EQ(after({1, 2, 3, 4, 5, 4, 4, 4}), 1);
  EXPECT_EQ(after({1, 2, 3, 4, 5, 4, 4, 4, 4}), 0.5);  // the 4 after the 5 was better; three more are not
}

TEST(Schedule, TheOptionsChooseTheRate) {
  TrainOptions o;
  const auto stalled = history_of({1, 2, 2, 2});
  EXPECT_EQ(rate_factor(o, 525, 1000, stalled), schedule(525, 1000));
  o.schedule = "plateau";
  EXPECT_EQ(rate_factor(o, 525, 1000, stalled), 0.5);
  o.schedule = "constant";
  EXPECT_EQ(rate_factor(o, 525, 1000, stalled), 1);
}

TEST(EarlyStop, CountsOnlyEpochsOfTheFinishedNetwork) {
  auto history = history_of({1, 2, 3});
  EXPECT_TRUE(has_stalled(history, 2));
  EXPECT_FALSE(has_stalled(history, 3));
  EXPECT_FALSE(has_stalled(history, 0));
  history[0].replaced = 0.5;  // its better loss was that of ReLUs
  EXPECT_FALSE(has_stalled(history, 2));
}

TEST(Replacement, TogetherAllLayersRiseLinearly) {
  for (const std::size_t layer : {0u, 1u, 3u}) {
    EXPECT_EQ(replaced_share(0, layer, 4, "together"), 0);
    EXPECT_DOUBLE_EQ(replaced_share(0.3, layer, 4, "together"), 0.3);
    EXPECT_EQ(replaced_share(1, layer, 4, "together"), 1);
  }
}

TEST(Replacement, LayerwiseEachLayerRisesInItsOwnPart) {
  EXPECT_DOUBLE_EQ(replaced_share(0.125, 0, 4, "layerwise"), 0.5);
  EXPECT_EQ(replaced_share(0.125, 1, 4, "layerwise"), 0);
  EXPECT_EQ(replaced_share(0.25, 0, 4, "layerwise"), 1);
  EXPECT_DOUBLE_EQ(replaced_share(0.875, 3, 4, "layerwise"), 0.5);
  EXPECT_EQ(replaced_share(0.875, 2, 4, "layerwise"), 1);
  for (const std::size_t layer : {0u, 1u, 2u, 3u}) {
    EXPECT_EQ(replaced_share(0, layer, 4, "layerwise"), 0);
    EXPECT_EQ(replaced_share(1, layer, 4, "layerwise"), 1);
  }
}

TEST(Replacement, TakesItsPartOfTheRun) {
  TrainOptions o;
  EXPECT_EQ(replacement_progress(o, 0, 100), 1);  // none asked for
  o.transition = 0.4;
  EXPECT_EQ(replacement_progress(o, 0, 100), 0);
  EXPECT_DOUBLE_EQ(replacement_progress(o, 10, 100), 0.25);
  EXPECT_EQ(replacement_progress(o, 40, 100), 1);
  EXPECT_EQ(replacement_progress(o, 90, 100), 1);
  o.ranges_first = 0.2;  // the replacement comes after
  EXPECT_EQ(replacement_progress(o, 19, 100), 0);
  EXPECT_EQ(replacement_progress(o, 20, 100), 0);
  EXPECT_DOUBLE_EQ(replacement_progress(o, 30, 100), 0.25);
  EXPECT_EQ(replacement_progress(o, 60, 100), 1);
  o.transition = 0;
  EXPECT_EQ(replacement_progress(o, 19, 100), 0);
  EXPECT_EQ(replacement_progress(o, 20, 100), 1);
}

TEST(Parts, FirstAndLast) {
  EXPECT_TRUE(in_first_part(0.1, 9, 100));
  EXPECT_FALSE(in_first_part(0.1, 10, 100));
  EXPECT_FALSE(in_first_part(0, 0, 100));
  EXPECT_FALSE(in_last_part(0.1, 89, 100));
  EXPECT_TRUE(in_last_part(0.1, 90, 100));
  EXPECT_FALSE(in_last_part(0, 99, 100));
}

}  // namespace
}  // namespace velum::train
