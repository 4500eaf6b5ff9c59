// What holds for every run: independence of threads and of the schedule's tiling, refusals, reports.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/parallel.h"
#include "ckks/client/client.h"
#include "model/execute.h"
#include "support/encrypted_run.h"
#include "support/graphs.h"

namespace velum::test {
namespace {

using namespace model;

Graph small_network() {
  GraphBuilder b({2, 8, 8});
  const auto x = b.quadratic(b.convolution(b.input(), same_padded(3), 2), {3, 8, 8});
  const auto y = b.quadratic(
      b.convolution(x, {.outputs = 4, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, 3),
      {4, 1, 1});
  return b.finish(b.dense(b.flatten(y, 36), 36, 3));
}

// Plans, keys and inputs made once, to be run in several ways.
struct Prepared {
  plan::ServerPlan plan;
  ckks::Parameters params;
  ckks::SecretKey secret;
  ckks::EvaluationKeys keys;
  std::vector<ckks::SeededCiphertext> inputs;

  static plan::ServerPlan make(const Graph& g, std::uint64_t memory) {
    auto request = tiny_request(10);
    if (memory) request.memory_bytes = memory;
    return plan::make_plan(g, request).plan;
  }
  explicit Prepared(plan::ServerPlan p)
      : plan(std::move(p)),
        params(plan.client.params),
        secret(ckks::SecretKey::generate(params)),
        keys(ckks::generate_keys(params, secret, plan.client.keys)) {
    const ckks::Encryptor encryptor(params, secret);
    const std::vector<double> slots(params.slots(), 0.5);
    for (std::size_t k = 0; k < plan.client.input_order.size(); ++k)
      inputs.push_back(encryptor.encrypt(slots, plan.client.input_scale, plan.client.input_limbs));
  }
  std::vector<ckks::u64> run(const plan::ServerPlan& p, engine::RunReport* report = nullptr) const {
    std::vector<ckks::u64> words;
    for (const auto& c : engine::Engine(p, params, keys).run(engine::MemoryInput(inputs, params), report))
      words.insert(words.end(), c.view().data, c.view().data + c.polys() * c.limbs() * c.n());
    return words;
  }
};

Graph calibrated() {
  auto g = small_network();
  const std::vector<float> images(128, 0.5F);
  calibrate(g, images, 1, 1.0);
  return g;
}

TEST(Engine, GivesTheSameBitsAtOneTwoAndThreeThreads) {
  const Prepared s(Prepared::make(calibrated(), 0));
  set_threads(1);
  const auto one = s.run(s.plan);
  for (const int t : {2, 3}) {
    set_threads(t);
    EXPECT_EQ(s.run(s.plan), one) << t << " threads";
  }
  set_threads(0);
}

TEST(Engine, GivesTheSameBitsRowByRowWithLessMemory) {
  const auto g = calibrated();
  const Prepared whole(Prepared::make(g, 0));
  engine::RunReport roomy, tight;
  const auto expected = whole.run(whole.plan, &roomy);
  // The program's own share of the figure is fixed: a few per cent less already forces rows.
  const auto tiled = Prepared::make(g, whole.plan.peak_bytes * 97 / 100);
  ASSERT_GT(tiled.tasks.size(), whole.plan.tasks.size());
  ASSERT_EQ(tiled.client.params, whole.plan.client.params);
  EXPECT_EQ(whole.run(tiled, &tight), expected);
  EXPECT_LT(tight.peak_bytes_of_values, roomy.peak_bytes_of_values);
}

TEST(Engine, RefusesKeysThatLackTheRelinearisationKey) {
  const Prepared s(Prepared::make(calibrated(), 0));
  const auto poor = ckks::generate_keys(s.params, s.secret,
                                        {.relinearise_limbs = s.plan.client.keys.relinearise_limbs - 1});
  try {
    engine::Engine(s.plan, s.params, poor);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit_code(), 2);
    EXPECT_THAT(e.what(), testing::HasSubstr("velum keygen"));
  }
}

TEST(Engine, RefusesABatchOfAnotherShape) {
  Prepared s(Prepared::make(calibrated(), 0));
  s.inputs.pop_back();
  EXPECT_THROW(s.run(s.plan), Error);
}

TEST(Engine, ReportsEveryStepWithItsPlannedCost) {
  const Prepared s(Prepared::make(calibrated(), 0));
  engine::RunReport report;
  (void)s.run(s.plan, &report);
  ASSERT_EQ(report.steps.size(), s.plan.steps.size());
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    EXPECT_EQ(report.steps[i].name, s.plan.steps[i].name);
    EXPECT_EQ(report.steps[i].cost.multiply_adds, s.plan.steps[i].cost.multiply_adds);
    EXPECT_EQ(report.steps[i].outputs, s.plan.values[s.plan.steps[i].output].elements);
  }
  EXPECT_GE(report.seconds, report.input_seconds);
}

TEST(Engine, ShowsEveryOutputToTheProbeOnce) {
  const Prepared s(Prepared::make(calibrated(), 0));
  std::vector<std::vector<int>> seen(s.plan.values.size());
  for (std::size_t v = 0; v < seen.size(); ++v) seen[v].resize(s.plan.values[v].elements);
  (void)engine::Engine(s.plan, s.params, s.keys)
      .run(engine::MemoryInput(s.inputs, s.params), nullptr, {},
           [&](std::uint32_t value, std::uint32_t first, const std::vector<ckks::ConstView>& elements) {
             for (std::size_t i = 0; i < elements.size(); ++i) ++seen[value][first + i];
           });
  for (const auto& step : s.plan.steps)
    for (const int times : seen[step.output]) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace velum::test
