// What holds for every run: independence of threads and of the schedule's tiling, refusals, reports.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <type_traits>

#include "base/error.h"
#include "base/parallel.h"
#include "ckks/client/client.h"
#include "engine/workers.h"
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
        secret(ckks::SecretKey::generate(params, ring::Randomness::system())),
        keys(ckks::generate_keys(params, secret, plan.client.keys, ring::Randomness::system())) {
    const ckks::Encryptor encryptor(params, secret, ring::Randomness::system());
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
  use_threads(1);
  const auto one = s.run(s.plan);
  for (const int t : {2, 3}) {
    use_threads(t);
    EXPECT_EQ(s.run(s.plan), one) << t << " threads";
  }
  use_threads(0);
}

// A run keeps the threads that it began with: its workers are as many.
TEST(Engine, TakesNoThreadsThatAreAddedWhileItRuns) {
  const Prepared s(Prepared::make(calibrated(), 0));
  use_threads(1);
  const auto expected = s.run(s.plan);
  const engine::Engine engine(s.plan, s.params, s.keys);
  const auto run = [&] {
    std::vector<ckks::u64> words;
    const auto more = [](double, const std::string&) { use_threads(threads() + 7); };
    for (const auto& c : engine.run(engine::MemoryInput(s.inputs, s.params), nullptr, more))
      words.insert(words.end(), c.view().data, c.view().data + c.polys() * c.limbs() * c.n());
    return words;
  };
  EXPECT_EQ(run(), expected);
  EXPECT_EQ(run(), expected);  // with more from its beginning
  use_threads(2);
  EXPECT_EQ(run(), expected);  // and with fewer than before
  use_threads(0);
}

TEST(Engine, WorkersStayAsManyAsTheyWere) {
  engine::Workers workers(2);
  use_threads(6);
  std::atomic<int> beyond{0};
  workers.loop(500, [&](std::size_t, int worker) {
    if (worker >= 2)
      ++beyond;
    else
      workers.take(worker, 100)[99] = 1;
  });
  EXPECT_EQ(beyond, 0);
  use_threads(0);
}

// What would outlive its owner does not compile.
template <typename T>
concept Viewed = requires(T&& x) {
  std::forward<T>(x).view();
};
template <typename T>
concept Named = requires(T&& x) {
  std::forward<T>(x).literal();
};
template <typename T>
concept Ringed = requires(T&& x) {
  std::forward<T>(x).ring();
};
using Plan = plan::ServerPlan;
using Keys = ckks::EvaluationKeys;
static_assert(Viewed<ckks::Ciphertext&> && Viewed<const ckks::Ciphertext&> && !Viewed<ckks::Ciphertext>);
static_assert(Named<ckks::Parameters&> && !Named<ckks::Parameters> && !Named<const ckks::Parameters>);
static_assert(Ringed<const ckks::Parameters&> && !Ringed<ckks::Parameters>);
static_assert(std::is_constructible_v<engine::Engine, Plan&, ckks::Parameters, const Keys&>);
static_assert(!std::is_constructible_v<engine::Engine, Plan, ckks::Parameters&, Keys&>);
static_assert(!std::is_constructible_v<engine::Engine, const Plan&, ckks::Parameters&, Keys>);
static_assert(std::is_constructible_v<ckks::Encryptor, ckks::Parameters, ckks::SecretKey&, ring::Randomness>);
static_assert(
    !std::is_constructible_v<ckks::Encryptor, ckks::Parameters&, ckks::SecretKey, ring::Randomness>);
static_assert(!std::is_constructible_v<ckks::Decryptor, ckks::Parameters&, ckks::SecretKey>);
static_assert(
    !std::is_constructible_v<engine::MemoryInput, std::vector<ckks::SeededCiphertext>, ckks::Parameters&>);

// An input that fails in the middle of a run leaves nothing behind in the engine.
TEST(Engine, RunsAgainAfterAFailure) {
  const Prepared s(Prepared::make(calibrated(), 0));
  class Failing : public engine::MemoryInput {
   public:
    using MemoryInput::MemoryInput;
    void read(std::size_t k, ckks::View out) const override {
      if (k == count() - 1 && fails) fail("the last element cannot be read");
      MemoryInput::read(k, out);
    }
    bool fails = true;
  };
  Failing input(s.inputs, s.params);
  const engine::Engine engine(s.plan, s.params, s.keys);
  EXPECT_THROW(engine.run(input), Error);
  input.fails = false;
  engine::RunReport after, fresh;
  const auto outputs = engine.run(input, &after);
  (void)s.run(s.plan, &fresh);
  EXPECT_EQ(after.peak_bytes_of_values, fresh.peak_bytes_of_values);
  EXPECT_EQ(outputs.size(), s.plan.client.outputs);
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
  const auto poor =
      ckks::generate_keys(s.params, s.secret, {.relinearise_limbs = s.plan.client.keys.relinearise_limbs - 1},
                          ring::Randomness::system());
  try {
    engine::Engine(s.plan, s.params, poor);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit_code(), 2);
    EXPECT_THAT(e.what(), testing::HasSubstr("velum keygen"));
  }
}

// As tall as the plan asks, and of another ring.
TEST(Engine, RefusesKeysOfOtherParameters) {
  const Prepared s(Prepared::make(calibrated(), 0));
  auto foreign = ckks::generate_keys(s.params, s.secret, s.plan.client.keys, ring::Randomness::system());
  foreign.params[0] ^= 1;
  try {
    engine::Engine(s.plan, s.params, foreign);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit_code(), 2);
    EXPECT_THAT(e.what(), testing::HasSubstr("other parameters"));
  }
}

TEST(Engine, RefusesParametersOfAnotherPlan) {
  const Prepared s(Prepared::make(calibrated(), 0));
  auto literal = s.plan.client.params;
  std::swap(literal.moduli[0], literal.moduli[1]);
  const ckks::Parameters other(literal);
  const auto secret = ckks::SecretKey::generate(other, ring::Randomness::system());
  const auto keys = ckks::generate_keys(other, secret, s.plan.client.keys, ring::Randomness::system());
  try {
    engine::Engine(s.plan, other, keys);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit_code(), 2);
    EXPECT_THAT(e.what(), testing::HasSubstr("are not those of the plan"));
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
