#include "report/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"

namespace velum::report {
namespace {

using Labels = std::vector<std::int32_t>;

// The definition: every pair of a positive and a negative.
double pairs_won(const std::vector<double>& scores, const std::vector<bool>& positive) {
  double won = 0, pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (!positive[i] || positive[j]) continue;
      pairs += 1;
      won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  return won / pairs;
}

double under(const std::vector<RocPoint>& curve) {
  double sum = 0;
  for (std::size_t i = 1; i < curve.size(); ++i)
    sum += (curve[i].false_positive - curve[i - 1].false_positive) *
           (curve[i].true_positive + curve[i - 1].true_positive) / 2;
  return sum;
}

TEST(Metrics, ThreeClassesByHand) {
  // Class a twice right; b once right and once taken for c; c once right and once taken for a.
  const std::vector<double> outputs = {3, 1, 0, 2, 1, 0, 0, 2, 1, 0, 1, 2, 0, 0, 5, 4, 0, 3};
  const auto m = measure(outputs, 3, Labels{0, 0, 1, 1, 2, 2}, {"a", "b", "c"});
  EXPECT_EQ(m.images, 6u);
  EXPECT_DOUBLE_EQ(m.accuracy, 4.0 / 6);
  EXPECT_EQ(m.confusion, (std::vector<std::vector<std::size_t>>{{2, 0, 0}, {0, 1, 1}, {1, 0, 1}}));
  const auto &a = m.classes[0], &b = m.classes[1], &c = m.classes[2];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.images, 2u);
  EXPECT_EQ(a.predicted, 3u);
  EXPECT_DOUBLE_EQ(a.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(a.recall, 1);
  EXPECT_DOUBLE_EQ(b.precision, 1);
  EXPECT_DOUBLE_EQ(b.recall, 0.5);
  EXPECT_DOUBLE_EQ(c.precision, 0.5);
  EXPECT_DOUBLE_EQ(c.recall, 0.5);
  EXPECT_DOUBLE_EQ(a.f1, 4.0 / 5);
  EXPECT_DOUBLE_EQ(b.f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(c.f1, 2.0 / 4);
  EXPECT_DOUBLE_EQ(m.macro_f1, (4.0 / 5 + 2.0 / 3 + 0.5) / 3);
  EXPECT_EQ(m.not_finite, 0u);
  EXPECT_DOUBLE_EQ(macro_f1(Labels{0, 0, 1, 1, 2, 2}, predicted_classes(outputs, 3)), m.macro_f1);
}

TEST(Metrics, MacroF1IsOverClassesThatOccurOrArePredicted) {
  EXPECT_DOUBLE_EQ(macro_f1(Labels{5, 5}, Labels{5, 5}), 1);
  EXPECT_DOUBLE_EQ(macro_f1(Labels{0, 0}, Labels{0, 7}), (2.0 / 3 + 0) / 2);  // 7 is only predicted
  EXPECT_DOUBLE_EQ(macro_f1(Labels{1}, Labels{2}), 0);
  EXPECT_DOUBLE_EQ(macro_f1(Labels{}, Labels{}), 0);
}

TEST(Metrics, MistakesComeByTheirNumber) {
  Metrics m;
  m.classes.resize(3);
  m.confusion = {{5, 1, 0}, {3, 9, 1}, {0, 2, 7}};
  std::vector<std::size_t> images;
  for (const auto& x : most_frequent_mistakes(m, 3)) {
    EXPECT_EQ(m.confusion[x.truth][x.said], x.images);
    EXPECT_NE(x.truth, x.said);
    images.push_back(x.images);
  }
  EXPECT_EQ(images, (std::vector<std::size_t>{3, 2, 1}));
  EXPECT_EQ(most_frequent_mistakes(m, 100).size(), 4u);
}

TEST(Metrics, TwoOutputsByHand) {
  // True 0 0 0 1 1; predicted 0 0 1 1 0. Margins of class 1: -2 -1 1 | 4 -1: of the six pairs the positives
  // win 3 (the 4) and 1.5 (the -1 beats -2 and ties -1).
  const auto m = measure(std::vector<double>{2, 0, 1, 0, 0, 1, -1, 3, 2, 1}, 2, Labels{0, 0, 0, 1, 1}, {});
  EXPECT_DOUBLE_EQ(m.accuracy, 0.6);
  EXPECT_DOUBLE_EQ(*m.classes[1].auc, 4.5 / 6);
  EXPECT_DOUBLE_EQ(*m.classes[0].auc, 4.5 / 6);
  EXPECT_DOUBLE_EQ(*m.auc, 4.5 / 6);
  EXPECT_EQ(m.classes[0].name, "0");
}

TEST(Metrics, ASingleOutputIsASign) {
  EXPECT_EQ(predicted_classes(std::vector<double>{-0.5, 0.25, 0}, 1), (Labels{0, 1, 0}));
  // Scores 1, 2, 2, 3; positives are the second 2 and the 3: pairs (2>1), (2=2), (3>1), (3>2) -> 3.5 of 4.
  const auto m = measure(std::vector<double>{1, 2, 2, 3}, 1, Labels{0, 0, 1, 1}, {});
  EXPECT_DOUBLE_EQ(*m.auc, 3.5 / 4);
  ASSERT_EQ(m.classes.size(), 2u);
  EXPECT_EQ(m.confusion[0][1], 2u);
}

TEST(Metrics, TheAreaCountsPairsTiesByHalf) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    const std::size_t n = 2 + random() % 60;
    // Few different scores, so that there are many ties.
    const int values = 1 + static_cast<int>(random() % 12);
    std::vector<double> scores(n);
    std::vector<bool> positive(n);
    for (std::size_t i = 0; i < n; ++i) {
      scores[i] = static_cast<int>(random()) % values;
      positive[i] = random() % 3 == 0;
    }
    positive[0] = true, positive[1] = false;
    const auto area = area_under_roc(scores, positive);
    ASSERT_TRUE(area);
    EXPECT_NEAR(*area, pairs_won(scores, positive), 1e-12);
    const auto curve = roc_curve(scores, positive);
    EXPECT_NEAR(under(curve), *area, 1e-12);
    EXPECT_EQ(curve.front().true_positive, 0);
    EXPECT_EQ(curve.back().false_positive, 1);
    EXPECT_EQ(curve.back().true_positive, 1);
  }
}

TEST(Metrics, AreaOfOneKindIsAbsentAndOfSeparatedOnesIsOne) {
  const std::vector<double> scores = {0.1, 0.4, 0.6};
  EXPECT_FALSE(area_under_roc(scores, {false, false, false}));
  EXPECT_TRUE(roc_curve(scores, {true, true, true}).empty());
  EXPECT_DOUBLE_EQ(*area_under_roc(scores, {false, true, true}), 1);
  EXPECT_DOUBLE_EQ(*area_under_roc(scores, {true, false, false}), 0);
  EXPECT_DOUBLE_EQ(*area_under_roc(std::vector<double>{1, 1, 1}, {true, false, false}), 0.5);
  // Separated: up, then right; nothing between the corners.
  EXPECT_EQ(roc_curve(scores, {false, true, true}).size(), 3u);
}

TEST(Metrics, ScoresOrderAsSoftmaxDoesWithoutItsTies) {
  const std::vector<double> close = {1, 2, 0.5}, sure = {800, 0, 1}, surer = {900, 0, 1};
  const double p = std::exp(2.0) / (std::exp(1.0) + std::exp(2.0) + std::exp(0.5));
  EXPECT_NEAR(class_score(close, 1), std::log(p / (1 - p)), 1e-12);
  // As probabilities both are 1.
  EXPECT_LT(class_score(sure, 0), class_score(surer, 0));
}

TEST(Metrics, ClassesThatNeitherOccurNorArePredictedDoNotCount) {
  const auto m = measure(std::vector<double>{1, 0, 0, 0, 1, 0}, 3, Labels{0, 1}, {});
  EXPECT_DOUBLE_EQ(m.macro_f1, 1);
  EXPECT_DOUBLE_EQ(*m.auc, 1);
  EXPECT_FALSE(m.classes[2].auc);
  const auto one_kind = measure(std::vector<double>{1, 0, 2, 0}, 2, Labels{0, 0}, {});
  EXPECT_FALSE(one_kind.auc);
}

TEST(Metrics, OutputsThatAreNotNumbersRankLastAndAreCounted) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const auto m = measure(std::vector<double>{nan, 0, 1, 0, inf, -inf, 0, 1}, 2, Labels{1, 0, 0, 1}, {});
  EXPECT_EQ(m.not_finite, 2u);
  EXPECT_DOUBLE_EQ(m.accuracy, 1);
  EXPECT_DOUBLE_EQ(*m.auc, 1);
}

TEST(Metrics, ALabelThatTheNetworkCannotGiveIsNamed) {
  try {
    measure(std::vector<double>{1, 0, 0, 1}, 2, Labels{0, 2}, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    EXPECT_NE(std::string(e.what()).find("image 1 has label 2"), std::string::npos) << e.what();
  }
  EXPECT_THROW(measure(std::vector<double>{1, 0}, 2, Labels{-1}, {}), Error);
  EXPECT_THROW(measure(std::vector<double>{1, 0, 3}, 2, Labels{1}, {}), Error);
}

TEST(Metrics, ThinnedCurvesKeepTheirShape) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise;
  std::vector<double> outputs;
  Labels labels;
  for (int i = 0; i < 4000; ++i) {
    labels.push_back(i % 2);
    outputs.push_back(noise(random) + 1.5 * (i % 2));
  }
  const auto full = measure(outputs, 1, labels, {}), thin = thinned(full);
  const auto &before = full.classes[1].roc, &after = thin.classes[1].roc;
  EXPECT_LT(after.size(), before.size() / 5);
  EXPECT_GT(after.size(), 10u);
  EXPECT_EQ(after.back().true_positive, 1);
  EXPECT_EQ(thin.auc, full.auc);
  EXPECT_NEAR(under(after), under(before), 0.001);
}

TEST(Metrics, AgreementIsTheShareOfEqualEntries) {
  EXPECT_DOUBLE_EQ(agreement(Labels{1, 2, 3, 4}, Labels{1, 0, 3, 4}), 0.75);
  EXPECT_DOUBLE_EQ(agreement(Labels{}, Labels{}), 1);
}

}  // namespace
}  // namespace velum::report
