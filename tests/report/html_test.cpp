#include <gtest/gtest.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "report/sample_report.h"

namespace velum::report {
namespace {

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Html, LoadsNothingAndRunsNothing) {
  const auto page = to_html(test::sample_report());
  for (const auto* what :
       {"http:", "https:", "src=", "<script", "<link", "@import", "url(", "<img", "onload"})
    // The sample's own class name holds "src=", as text.
    EXPECT_EQ(count(page, what), std::string(what) == "src=" ? count(page, "&lt;img src=x&gt;") : 0) << what;
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(Html, NamesAreTextAndNotMarkup) {
  const auto page = to_html(test::sample_report());
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(page.find("<title>Training of &lt;b&gt;scnn&lt;/b&gt; &amp; &quot;friends&quot;</title>"),
            std::string::npos);
  EXPECT_NE(page.find("&lt;img src=x&gt;"), std::string::npos);
  EXPECT_NE(page.find("virus &amp; more"), std::string::npos);
}

TEST(Html, EveryElementIsClosedAndEveryNameUnique) {
  for (const auto& r : {test::sample_report(), test::two_class_report(), Report{}}) {
    const auto page = to_html(r);
    for (const std::string tag :
         {"svg", "figure", "table", "details", "div", "dl", "tr", "text", "h2", "tbody"})
      EXPECT_EQ(count(page, "<" + tag + ">") + count(page, "<" + tag + " "), count(page, "</" + tag + ">"))
          << tag;
    std::set<std::string> ids;
    const std::regex id("id=\"([^\"]*)\"");
    for (std::sregex_iterator at(page.begin(), page.end(), id), end; at != end; ++at)
      EXPECT_TRUE(ids.insert((*at)[1]).second) << (*at)[1];
  }
}

TEST(Html, ShowsWhatThereIs) {
  const auto page = to_html(test::sample_report());
  for (const auto* section :
       {"comparison", "training", "confusion", "roc", "classes", "activations", "time", "origin"})
    EXPECT_EQ(count(page, std::string("<h2 id=\"") + section + "\">"), 1u) << section;
  // Two curves, two matrices, a full and no enlarged ROC chart each (areas below 0.9 on such data, or both),
  // F1, ranges, two activations, steps.
  EXPECT_GE(count(page, "role=\"img\""), 11u);
  EXPECT_EQ(count(page, "role=\"img\""), count(page, "<desc id="));
  // An encrypted run without labels has steps and nothing to compare.
  Report run;
  run.title = "Run";
  run.steps = {{"conv1", 2.0}};
  const auto bare = to_html(run);
  EXPECT_EQ(count(bare, "role=\"img\""), 1u);
  EXPECT_EQ(count(bare, "id=\"roc\""), 0u);
}

TEST(Html, FiguresAreInTheTables) {
  const auto r = test::sample_report();
  const auto page = to_html(r);
  const auto& m = r.evaluations[0].metrics;
  EXPECT_NE(page.find("<td>" + std::to_string(m.confusion[0][0]) + "</td>"), std::string::npos);
  EXPECT_NE(page.find("<td>0.15</td>"), std::string::npos);     // a coefficient
  EXPECT_NE(page.find("<td>-6 to 5</td>"), std::string::npos);  // a planned range
  EXPECT_NE(page.find("<td>95.83 %</td>"), std::string::npos);  // training accuracy of epoch 12
}

TEST(Html, HeadlinesComeFirst) {
  auto r = test::sample_report();
  r.headlines = {{"Time an image", "1.2 ms", "1.1 ms predicted"}, {"Security", "128 bits", ""}};
  const auto page = to_html(r);
  const auto first = page.find("1.1 ms predicted");
  ASSERT_NE(first, std::string::npos);
  EXPECT_LT(first, page.find("<h2"));
  EXPECT_EQ(page.find("<dt>Macro F1</dt>"), std::string::npos) << "in place of the tiles of quality";
}

// One matrix with what differs, and not two to compare by eye.
TEST(Html, EncryptedAndClearAreOneMatrix) {
  auto r = test::sample_report();
  r.evaluations = {{"encrypted", r.evaluations[0].metrics}, {"clear", r.evaluations[0].metrics}};
  r.encrypted_and_clear = true;
  auto& encrypted = r.evaluations[0].metrics.confusion;
  EXPECT_NE(to_html(r).find("they are equal"), std::string::npos);
  encrypted[0][0] -= 2;
  encrypted[0][1] += 2;
  const auto page = to_html(r);
  EXPECT_EQ(count(page, "Confusion matrix, encrypted and clear</h3>"), 1u);
  EXPECT_EQ(count(page, "Confusion matrix, clear"), 0u);
  EXPECT_NE(page.find("2 entries differ"), std::string::npos);
  EXPECT_NE(page.find(fmt::format("<td>{} (-2)</td>", encrypted[0][0])), std::string::npos);
  EXPECT_NE(page.find(fmt::format("<td>{} (+2)</td>", encrypted[0][1])), std::string::npos);
  EXPECT_EQ(count(page, "class=\"differs\""), 2u);
}

TEST(Html, StepsShowWhatWasPredictedAndHowPreciseTheyAre) {
  Report r;
  r.steps = {{"reading", 0.5, 0.4, {}, {}}, {"conv1", 2.0, 1.75, 11.5, 14.25}};
  const auto page = to_html(r);
  for (const auto* what : {"predicted", "<td>1.75</td>", "precision in bits", "<td>11.5</td>",
                           "<td>14.2</td>", "Precision by layer", "Time by step"})
    EXPECT_NE(page.find(what), std::string::npos) << what;
  for (auto& s : r.steps) s.predicted = s.precision = s.noise_precision = {};
  const auto bare = to_html(r);
  EXPECT_EQ(bare.find("predicted"), std::string::npos);
  EXPECT_EQ(bare.find("Precision by layer"), std::string::npos);
}

// Curves that lie close together at the end are drawn a second time, by themselves.
TEST(Html, CurvesAreEnlargedWhereTheyCrowd) {
  Report r;
  for (int e = 1; e <= 20; ++e) {
    const double settled = e < 4 ? 0.2 * e : 0.9 + 0.001 * e;
    r.history.push_back({e, 3 - 0.1 * e, settled, settled - 0.01, 3 - 0.1 * e, {}});
  }
  const auto page = to_html(r);
  EXPECT_EQ(count(page, "Accuracy by epoch: from 4 on</h3>"), 1u);
  EXPECT_EQ(count(page, "Loss by epoch: from"), 0u) << "a line that falls evenly is as clear as a whole";
  r.history.resize(1);
  EXPECT_EQ(count(to_html(r), ": from"), 0u);
}

// The difference of two splits would say nothing of two networks.
TEST(Html, DifferencesAreOfTheSameImages) {
  auto r = test::sample_report();
  ASSERT_GE(r.evaluations.size(), 2u);
  r.evaluations.resize(2);
  EXPECT_EQ(count(to_html(r), ">difference<"), 1u);
  r.evaluations[1].same_images = false;
  EXPECT_EQ(count(to_html(r), ">difference<"), 0u);
  EXPECT_FALSE(report_from_json(to_json(r), "r").evaluations[1].same_images);
}

// Nothing drawn may be at a coordinate that is not a number, whatever a diverged network gave.
TEST(Html, InfiniteRangesDoNotReachTheDrawing) {
  auto r = test::sample_report();
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  r.activations[0].input = {-inf, inf, nan};
  r.activations[0].output = {nan, nan, nan};
  r.activations[0].units[0].low = -inf;
  r.history[3].loss = nan;
  const auto page = to_html(r);
  const std::regex coordinate("(x|y|x1|x2|y1|y2|width|height|d)=\"[^\"]*(nan|inf)[^\"]*\"");
  EXPECT_FALSE(std::regex_search(page, coordinate));
}

TEST(Html, ManyClassesAreDrawnWithoutFigures) {
  std::vector<double> outputs;
  std::vector<std::int32_t> labels;
  for (std::int32_t i = 0; i < 120; ++i) {
    labels.push_back(i % 40);
    for (std::int32_t c = 0; c < 40; ++c)
      outputs.push_back(c == (i * 7) % 40 || c == i % 40 ? 1 + 0.01 * c : 0);
  }
  Report r;
  r.evaluations = {{"network", measure(outputs, 40, labels, {})}};
  const auto page = to_html(r);
  EXPECT_EQ(count(page, "class=\"figure\"") + count(page, "class=\"figure "), 0u);
  EXPECT_EQ(count(page, "class=\"cell\""), 1600u);
}

}  // namespace
}  // namespace velum::report
