#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "report/sample_report.h"

namespace velum::report {
namespace {

TEST(ReportJson, ComesBackAsItWas) {
  for (const auto& r : {test::sample_report(), test::two_class_report()}) {
    const auto json = to_json(r);
    const auto again = report_from_json(Json::parse(json.dump()), "report");
    EXPECT_EQ(to_json(again), json);
    // Not only what JSON shows: the page is the same too.
    EXPECT_EQ(to_html(again), to_html(r));
  }
}

TEST(ReportJson, HoldsTheFiguresUnderTheirNames) {
  const auto r = test::sample_report();
  const auto j = to_json(r);
  EXPECT_EQ(j["evaluations"][1]["name"], "teacher");
  EXPECT_DOUBLE_EQ(j["evaluations"][0]["accuracy"].get<double>(), r.evaluations[0].metrics.accuracy);
  EXPECT_EQ(j["evaluations"][0]["roc"].size(), 4u);
  EXPECT_EQ(j["history"].size(), 12u);
  EXPECT_EQ(j["activations"][0]["units"][1]["coefficients"], (Json{0.15, 0.45, 0.2}));
  EXPECT_EQ(j["activations"][1]["function"], "relu");
  EXPECT_EQ(j["steps"][0]["seconds"], 1.5);
}

TEST(ReportJson, CurvesAreATableToo) {
  Report r;
  r.teacher_history = {{1, 0.5, 0.75, {}, {}, {}}};
  r.history = {{1, 1.25, 0.5, 0.625, 1.5, 0.25}, {2, 1, 0.75, {}, {}, 1.0}};
  EXPECT_EQ(curves_csv(r),
            "network,epoch,loss,train_accuracy,validation_loss,validation_accuracy,replaced\n"
            "teacher,1,0.5,0.75,,,\n"
            "network,1,1.25,0.5,1.5,0.625,0.25\n"
            "network,2,1,0.75,,,1\n");
}

TEST(ReportJson, AnAreaThatIsNotDefinedIsNull) {
  const auto m = measure(std::vector<double>{1, 0, 2, 0}, 2, std::vector<std::int32_t>{0, 0}, {});
  EXPECT_TRUE(to_json(m)["auc"].is_null());
  EXPECT_TRUE(to_json(m)["class_auc"][0].is_null());
}

TEST(ReportJson, AnotherFileIsRefusedByName) {
  auto broken = to_json(test::sample_report());
  broken["evaluations"][0].erase("confusion");
  try {
    report_from_json(broken, "other.json");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    EXPECT_NE(std::string(e.what()).find("other.json"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("confusion"), std::string::npos) << e.what();
  }
  EXPECT_THROW(report_from_json(Json::array(), "list.json"), Error);
}

}  // namespace
}  // namespace velum::report
