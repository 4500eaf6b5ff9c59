#include "train/report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support.h"
#include "train/exchange.h"
#include "train/report_page.h"

namespace velum::train {
namespace {

// A short run of a recipe that trains its own ReLU network first, and all that is known of it.
struct Trained {
  TrainOptions options = small_options("transition");
  TrainResult result;
  model::Graph graph;
  Metrics train, test;

  Trained() {
    options.epochs = 3;
    options.teacher_epochs = 1;
    result = velum::train::train(small_data(), options);
    graph = to_graph(*result.network);
    record_ranges(graph, result.network, small_data().train.images, options.margin);
    train = evaluate(result.network, small_data().train, 10);
    test = evaluate(result.network, small_data().test, 10);
  }
  ReportInput input(bool with_test = true) const {
    return {options,       small_data(),
            result,        graph,
            train,         with_test ? std::optional(test) : std::nullopt,
            "velum train", {{"kept", "note"}}};
  }
};
const Trained& trained() {
  static const Trained run;
  return run;
}

TEST(Report, SetsTheNetworkBesideItsTeacher) {
  const auto r = to_report(trained().input());
  std::vector<std::string> names;
  for (const auto& e : r.evaluations) names.push_back(e.name);
  EXPECT_EQ(names, (std::vector<std::string>{"test", "teacher, test", "validation", "training"}));
  for (const auto& e : r.evaluations)
    EXPECT_EQ(e.same_images, e.name == "test" || e.name == "teacher, test") << e.name;
  EXPECT_EQ(r.evaluations[0].metrics.accuracy, trained().test.accuracy);
  auto teacher = trained().result.teacher;
  EXPECT_EQ(r.evaluations[1].metrics.confusion, evaluate(teacher, small_data().test, 10).confusion);
  EXPECT_EQ(r.evaluations[0].metrics.classes[3].name, small_data().classes[3]);
  EXPECT_EQ(r.history.size(), 3u);
  EXPECT_EQ(r.teacher_history.size(), 1u);
  ASSERT_TRUE(r.history[0].replaced);
  EXPECT_LT(*r.history[0].replaced, 1);
}

TEST(Report, ShowsActivationsBeforeAndAfter) {
  const auto r = to_report(trained().input());
  ASSERT_EQ(r.activations.size(), trained().result.network->activations().size());
  for (const auto& a : r.activations) {
    EXPECT_TRUE(a.planned && a.teacher) << a.name;
    // The recorded range has a margin on the training images; other images are not much wider.
    EXPECT_LT(a.planned->low, a.planned->high);
    EXPECT_LT(a.input.low, a.input.high);
    ASSERT_EQ(a.units.size(), 4u) << a.name;
    double moved = 0;
    for (const auto& u : a.units) {
      ASSERT_TRUE(u.start) << a.name;
      moved += std::abs(u.start->a - u.curve.a) + std::abs(u.start->b - u.curve.b);
    }
    EXPECT_GT(moved, 0) << a.name;
  }
}

TEST(Report, WithoutTheTestSplitItIsAboutValidation) {
  const auto r = to_report(trained().input(false));
  EXPECT_EQ(r.evaluations[0].name, "validation");
  for (const auto& e : r.evaluations) EXPECT_NE(e.name, "test");
  EXPECT_EQ(r.evaluations[1].name, "teacher, validation");
}

TEST(Report, JsonAndPageSayTheSame) {
  const auto input = trained().input();
  const auto page = to_report(input);
  const auto j = nlohmann::json::parse(to_json(input, page));
  EXPECT_EQ(j["test"]["accuracy"].get<double>(), trained().test.accuracy);
  EXPECT_EQ(j["teacher"]["accuracy"].get<double>(), page.evaluations[1].metrics.accuracy);
  EXPECT_TRUE(j.contains("train") && j.contains("validation"));
  EXPECT_EQ(j["activations"].size(), page.activations.size());
  EXPECT_EQ(j["history"].size(), 3u);
  EXPECT_EQ(j["teacher_history"].size(), 1u);
  EXPECT_EQ(j["kept"], "note");
  const auto html = report::to_html(page);
  for (const auto& what :
       {fmt::format("{:.2f} %", 100 * trained().test.accuracy), std::string("Accuracy by epoch"),
        std::string("ReLU replaced, by epoch"), std::string("ReLU network trained first"),
        std::string("Confusion matrix, teacher, test"), std::string("dotted as training began")})
    EXPECT_NE(html.find(what), std::string::npos) << what;
}

}  // namespace
}  // namespace velum::train
