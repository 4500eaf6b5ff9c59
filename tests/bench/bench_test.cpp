// What benchmarks compute from timings. No test here asserts a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "bench/compare.h"
#include "bench/fit.h"
#include "bench/kernels.h"
#include "bench/models.h"
#include "bench/network.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "session/local_rates.h"

namespace velum::bench {
namespace {

using plan::kTerms;
using plan::Term;
using session::rates_from_json;
using session::rates_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string fixture(const std::string& name) {
  return std::string(VELUM_SOURCE_DIR) + "/tests/bench/files/" + name;
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was refused";
}

TEST(BenchStatistics, QuartilesInterpolate) {
  const auto s = spread_of({4, 1, 3, 2, 5});
  EXPECT_DOUBLE_EQ(s.median, 3);
  EXPECT_DOUBLE_EQ(s.low, 2);
  EXPECT_DOUBLE_EQ(s.high, 4);
  EXPECT_DOUBLE_EQ(spread_of({1, 2}).median, 1.5);
  EXPECT_DOUBLE_EQ(spread_of({7}).low, 7);
}

TEST(BenchStatistics, ARatioIsBeyondTheSpreadOnlyWhereQuartilesPart) {
  EXPECT_TRUE(ratio_of({10, 10.1, 9.9}, {5, 5.1, 4.9}).differs());
  EXPECT_NEAR(ratio_of({10, 10.1, 9.9}, {5, 5.1, 4.9}).value, 0.5, 1e-12);
  EXPECT_FALSE(ratio_of({10, 12, 8}, {9, 11, 7}).differs());
}

TEST(BenchCompare, RatiosOfWhatBothHold) {
  const auto c =
      compare_results(read_bench_file(fixture("before.json")), read_bench_file(fixture("after.json")));
  ASSERT_EQ(c.rows.size(), 2u);
  EXPECT_EQ(c.rows[0].name, "avx512/ntt_forward/8192");
  EXPECT_NEAR(c.rows[0].ratio.value, 0.5, 1e-9);
  EXPECT_TRUE(c.rows[0].ratio.differs());
  EXPECT_LT(c.rows[0].ratio.high, 0.52);
  EXPECT_FALSE(c.rows[1].ratio.differs());
  EXPECT_THAT(c.only_a, ElementsAre("avx512/split_pair/8192x3"));
  EXPECT_THAT(c.only_b, ElementsAre("avx512/add/8192"));
  // The date may differ; the commit is told.
  EXPECT_THAT(c.machine, ElementsAre("commit: \"aaaa\" against \"bbbb\""));
  const auto text = comparison_text(c, "A", "B");
  EXPECT_THAT(text, HasSubstr("0.500"));
  EXPECT_THAT(text, HasSubstr("within the spread"));
  EXPECT_EQ(comparison_json(c, "A", "B")["ratios"].size(), 2u);
}

TEST(BenchFit, FindsTheRatesThatTimingsFollow) {
  Belief belief;
  belief.deviation.fill(1);
  auto truth = belief.rates;
  std::mt19937 random(3);
  std::uniform_real_distribution<double> factor(-0.6, 0.6), amount(0, 1);
  for (auto& r : truth.per_second) r *= std::exp(factor(random));
  std::vector<Observation> observations;
  for (int i = 0; i < 60; ++i) {
    Observation o;
    for (std::size_t t = 0; t < kTerms; ++t) o.work[t] = amount(random) * truth.per_second[t];
    o.seconds = truth.seconds(o.work);
    observations.push_back(o);
  }
  const auto fitted = fit_rates(belief, observations, 1e-4);
  for (std::size_t t = 0; t < kTerms; ++t)
    EXPECT_NEAR(fitted.per_second[t] / truth.per_second[t], 1, 0.02) << plan::name(static_cast<Term>(t));
}

TEST(BenchFit, ATermThatNothingTellsOfStays) {
  Belief belief;
  belief.deviation.fill(0.5);
  Observation o;
  o.work[plan::index(Term::bytes)] = belief.rates.per_second[plan::index(Term::bytes)];
  o.seconds = 2;
  const auto fitted = fit_rates(belief, {o, o, o, o});
  for (std::size_t t = 0; t < kTerms; ++t) {
    const double ratio = fitted.per_second[t] / belief.rates.per_second[t];
    EXPECT_NEAR(ratio, t == plan::index(Term::bytes) ? 0.5 : 1, 0.02) << plan::name(static_cast<Term>(t));
  }
}

TEST(BenchFit, TheStepsOfALayerCountOnce) {
  const auto observed = [](const char* name, double bytes, double seconds) {
    NamedObservation o;
    o.name = name;
    o.observation.work[plan::index(Term::bytes)] = bytes;
    o.observation.seconds = seconds;
    return o;
  };
  const auto sums = added_by_name({observed("dense.partial", 3, 10), observed("dense.rotations", 1, 2),
                                   observed("dense", 4, 20), observed("dense.rotations", 1, 5)});
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(sums[0].name, "dense");
  EXPECT_EQ(sums[0].observation.work[plan::index(Term::bytes)], 7);
  EXPECT_EQ(sums[0].observation.seconds, 30);
  EXPECT_EQ(sums[1].name, "dense.rotations");
  EXPECT_EQ(sums[1].observation.work[plan::index(Term::bytes)], 2);
  EXPECT_EQ(sums[1].observation.seconds, 7);
}

TEST(Rates, BetweenOneThreadAndAllTimeGrowsEvenly) {
  plan::MachineRates m;
  m.threads = 5;
  for (auto& r : m.all.per_second) r /= 3;
  const auto seconds = [&](int threads) { return 1 / m.at(threads).per_second[0]; };
  EXPECT_DOUBLE_EQ(seconds(1), 1 / m.one.per_second[0]);
  EXPECT_DOUBLE_EQ(seconds(5), 1 / m.all.per_second[0]);
  EXPECT_NEAR(seconds(3), (seconds(1) + seconds(5)) / 2, 1e-20);
  EXPECT_DOUBLE_EQ(seconds(64), seconds(5));
}

TEST(Rates, ThroughJson) {
  plan::MachineRates m;
  m.threads = 3;
  m.one.per_second[2] = 123;
  m.all.per_second[4] = 45;
  const auto back = rates_from_json(rates_json(m), "test");
  EXPECT_EQ(back.threads, 3);
  EXPECT_EQ(back.one.per_second, m.one.per_second);
  EXPECT_EQ(back.all.per_second, m.all.per_second);
}

TEST(Rates, BadFilesAreNamedWithTheRemedy) {
  const auto good = rates_json({});
  const auto refusal = [&](const std::function<void(Json&)>& spoil) {
    auto json = good;
    spoil(json);
    return message_of([&] { rates_from_json(json, "FILE"); });
  };
  for (const auto& message :
       {refusal([](Json& j) { j["version"] = 99; }), refusal([](Json& j) { j.erase("one_thread"); }),
        refusal([](Json& j) { j["one_thread"].erase("bytes"); }),
        refusal([](Json& j) { j["all_threads"]["bytes"] = -1; }),
        refusal([](Json& j) { j["all_threads"]["bytes"] = "fast"; }),
        refusal([](Json& j) { j["threads"] = 0; }), refusal([](Json& j) { j = Json::array(); })}) {
    EXPECT_THAT(message, HasSubstr("FILE: "));
    EXPECT_THAT(message, HasSubstr("calibrate"));
  }
}

TEST(BenchModels, TheSameNameGivesTheSameNetwork) {
  EXPECT_EQ(model::to_onnx(make_benchmark_model("conv-4x2", 1)),
            model::to_onnx(make_benchmark_model("conv-4x2", 1)));
  EXPECT_NE(model::to_onnx(make_benchmark_model("conv-4x2", 1)),
            model::to_onnx(make_benchmark_model("conv-4x2", 2)));
}

TEST(BenchModels, UnknownNamesAndSizesAreRefused) {
  for (const auto* name :
       {"conv", "conv-x", "conv-4", "conv-4x", "conv-4x2y", "dense-0x1", "dense-8x99", "lenet"})
    EXPECT_THAT(message_of([&] { make_benchmark_model(name, 1); }), HasSubstr(name));
}

std::int64_t multiply_adds(const model::Graph& g) {
  std::int64_t sum = 0;
  for (const auto& node : g.nodes) {
    const auto outputs = model::element_count(node.shape);
    if (const auto* c = std::get_if<model::Convolution>(&node.op))
      sum += outputs * static_cast<std::int64_t>(c->weights.size()) / c->outputs;
    if (const auto* d = std::get_if<model::Dense>(&node.op))
      sum += static_cast<std::int64_t>(d->weights.size());
  }
  return sum;
}

TEST(BenchModels, TheDeepNetworkIsAsLargeAsItIsCalled) {
  const auto g = make_benchmark_model("cifar10-deep", 1);
  EXPECT_EQ(std::ranges::count_if(
                g.nodes, [](const auto& n) { return std::holds_alternative<model::Quadratic>(n.op); }),
            7);
  EXPECT_GE(multiply_adds(g), 10'000'000);
  EXPECT_EQ(g.metadata.at("weights"), "random, seed 1");
}

TEST(BenchModels, ActivationsReadValuesOfSizeOne) {
  const auto g = make_benchmark_model("conv-6x3", 1);
  for (const auto& node : g.nodes) {
    if (!std::holds_alternative<model::Quadratic>(node.op)) continue;
    EXPECT_NEAR(g.ranges.at(node.inputs[0]).rms, 1, 0.01) << node.name;
  }
}

// Every case is one that runs, does some work, and has a limit.
TEST(BenchKernels, EveryCaseOfEveryVariantRuns) {
  for (const auto* table : kernels::available_tables()) {
    const auto cases = kernel_cases(*table, [](const std::string& name) {
      return !name.ends_with("65536") && !name.ends_with("16384x8");
    });
    EXPECT_GT(cases.size(), 30u);
    for (const auto& c : cases) {
      c.body();
      EXPECT_GT(c.work, 0) << c.name;
      EXPECT_GT(*std::ranges::max_element(c.takes), 0) << c.name;
    }
  }
}

TEST(BenchKernels, TimingsNameTheLimitThatBinds) {
  KernelOptions options;
  options.only = "digit_product/256x64x3";
  options.repeat = 2;
  const auto all = time_kernels(options);
  ASSERT_EQ(all.size(), kernels::available_tables().size());
  for (const auto& t : all) {
    EXPECT_EQ(t.seconds.size(), 2u);
    EXPECT_FALSE(t.limit.empty());
    EXPECT_GT(t.share, 0);
  }
  EXPECT_EQ(kernels_json(all)["measurements"].size(), all.size());
}

TEST(BenchNetwork, ThreadCountsDoubleUpToAll) {
  EXPECT_THAT(thread_counts(1), ElementsAre(1));
  EXPECT_THAT(thread_counts(2), ElementsAre(1, 2));
  EXPECT_THAT(thread_counts(6), ElementsAre(1, 2, 4, 6));
}

}  // namespace
}  // namespace velum::bench
