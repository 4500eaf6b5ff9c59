// Streamed steps against the same steps with every ciphertext held.
#include "engine/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "ckks/client/client.h"
#include "engine/batch_file.h"
#include "engine/engine.h"
#include "model/execute.h"
#include "plan/schedule/peak.h"
#include "plan/schedule/schedule.h"
#include "plan/schedule/stream.h"
#include "support/encrypted_run.h"
#include "support/graphs.h"
#include "system/file.h"

namespace velum::test {
namespace {

using namespace model;
using plan::ServerPlan;

void calibrate_on_noise(Graph& g, std::size_t elements) {
  std::mt19937 random(4);
  std::uniform_real_distribution<float> pixel(0, 1);
  std::vector<float> images(6 * elements);
  for (auto& x : images) x = pixel(random);
  calibrate(g, images, 6, 1.0);
}

// A convolution whose windows overlap, into a dense layer.
Graph convolution_into_dense() {
  GraphBuilder b({1, 9, 9});
  const auto x = b.quadratic(
      b.convolution(b.input(), {.outputs = 5, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, 1),
      {5, 1, 1});
  auto g = b.finish(b.dense(b.quadratic(b.dense(b.flatten(x, 80), 80, 12), {12}), 12, 3));
  calibrate_on_noise(g, 81);
  return g;
}

// So many inputs that the first dense layer is cut by them, and so many outputs that the second is.
Graph dense_into_dense() {
  GraphBuilder b({1000});
  auto g = b.finish(b.dense(b.quadratic(b.dense(b.input(), 1000, 128), {128}), 128, 7));
  calibrate_on_noise(g, 1000);
  return g;
}

// The squares of a mere quadratic of the input are no stream: nothing but the input is read.
Graph squares_of_the_input() {
  GraphBuilder b({30});
  auto g = b.finish(b.dense(b.quadratic(b.input(), {30}), 30, 5));
  calibrate_on_noise(g, 30);
  return g;
}

// The same plan with all values held.
ServerPlan held(ServerPlan plan) {
  for (auto& s : plan.steps) s.streamed = false;
  plan.tasks = plan::order_tasks(plan, std::vector<std::uint32_t>(plan.steps.size(), 1000));
  plan::state_memory(plan, plan.threads);
  return plan;
}

struct Batch {
  explicit Batch(const ServerPlan& plan)
      : params(plan.client.params),
        secret(ckks::SecretKey::generate(params, ring::Randomness::system())),
        keys(ckks::generate_keys(params, secret, plan.client.keys, ring::Randomness::system())) {
    const ckks::Encryptor encryptor(params, secret, ring::Randomness::system());
    std::mt19937 random(9);
    std::uniform_real_distribution<double> pixel(0, 1);
    for (std::size_t k = 0; k < plan::input_ciphertexts(plan.client); ++k) {
      std::vector<double> slots(params.slots());
      for (auto& x : slots) x = pixel(random);
      inputs.push_back(encryptor.encrypt(slots, plan.client.input_scale, plan.client.input_limbs));
    }
  }
  std::vector<ckks::u64> run(const ServerPlan& plan, int count, engine::RunReport* report = nullptr,
                             const engine::Probe& probe = {}) const {
    const ThreadScope scope(count);
    std::vector<ckks::u64> words;
    const engine::Engine engine(plan, params, keys);
    for (const auto& c : engine.run(engine::MemoryInput(inputs, params), report, {}, probe))
      words.insert(words.end(), c.view().data, c.view().data + c.polys() * c.limbs() * c.n());
    return words;
  }
  ckks::Parameters params;
  ckks::SecretKey secret;
  ckks::EvaluationKeys keys;
  std::vector<ckks::SeededCiphertext> inputs;
};

class Streams : public ::testing::TestWithParam<Graph (*)()> {
 protected:
  ServerPlan plan_ = plan::make_plan(GetParam()(), tiny_request(10)).plan;
};

TEST_P(Streams, GiveTheSameBitsWithAnyNumberOfThreads) {
  ASSERT_TRUE(plan_.steps[0].streamed);
  const Batch batch(plan_);
  const auto expected = batch.run(held(plan_), 1);
  for (const int threads : {1, 2, 3}) EXPECT_EQ(batch.run(plan_, threads), expected) << threads << " threads";
}

TEST_P(Streams, TakeTheMemoryOfTheirWindow) {
  const auto all = held(plan_);
  const auto peak = plan::follow_schedule(plan_).bytes;
  EXPECT_LT(peak, plan::follow_schedule(all).bytes);
  const Batch batch(plan_);
  engine::RunReport report;
  batch.run(plan_, 2, &report);
  EXPECT_LE(report.peak_bytes_of_values, peak + peak / 8) << "lines between the blocks";
  EXPECT_GE(report.peak_bytes_of_values, peak - peak / 8);
}

TEST_P(Streams, AreSeenByProbes) {
  const auto all = held(plan_);
  const Batch batch(plan_);
  using Seen = std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<ckks::u64>>;
  const auto seen_in = [&](const ServerPlan& plan) {
    Seen seen;
    batch.run(plan, 2, nullptr, [&](std::uint32_t value, std::uint32_t first, const auto& views) {
      for (std::uint32_t k = 0; k < views.size(); ++k)
        for (std::size_t p = 0; p < views[k].polys; ++p) {
          const auto* at = views[k].limb(p, 0);
          auto& to = seen[{value, first + k}];
          to.insert(to.end(), at, at + views[k].limbs * views[k].n);
        }
    });
    return seen;
  };
  EXPECT_EQ(seen_in(plan_), seen_in(all));
}

TEST_P(Streams, TimeBothSteps) {
  const Batch batch(plan_);
  engine::RunReport report;
  batch.run(plan_, 2, &report);
  for (std::size_t s = 0; s < 2; ++s) EXPECT_GT(report.steps[s].seconds, 0) << s;
  double sum = report.input_seconds;
  for (const auto& s : report.steps) sum += s.seconds;
  EXPECT_LE(sum, report.seconds * 1.001);
}

INSTANTIATE_TEST_SUITE_P(Layers, Streams, ::testing::Values(&convolution_into_dense, &dense_into_dense));

TEST(Stream, CutsWhatIsLargerThanItsPanel) {
  const auto plan = plan::make_plan(dense_into_dense(), tiny_request(10)).plan;
  const auto shape = plan::shape_stream(plan.steps[0], plan.steps[1], 128, plan.client.params.n);
  ASSERT_EQ(shape.bands.size(), 1u);
  EXPECT_GT(shape.bands[0].cuts.size(), 2u) << "500 pairs are more than a panel of 128 columns holds";
}

TEST(Stream, IsOnlyForWhatOneDenseStepReads) {
  const auto none = [](const ServerPlan& plan) {
    return std::none_of(plan.steps.begin(), plan.steps.end(), [](const auto& s) { return s.streamed; });
  };
  EXPECT_TRUE(none(plan::make_plan(squares_of_the_input(), tiny_request(10)).plan));
  // A second convolution reads the first: no dense step.
  GraphBuilder b({1, 8, 8});
  const auto x = b.quadratic(b.convolution(b.input(), same_padded(2), 1), {2, 8, 8});
  auto g =
      b.finish(b.dense(b.flatten(b.quadratic(b.convolution(x, same_padded(2), 2), {2, 8, 8}), 128), 128, 3));
  calibrate_on_noise(g, 64);
  EXPECT_TRUE(none(plan::make_plan(g, tiny_request(10)).plan));
}

TEST(Stream, PlansSayWhatIsStreamedAndAreChecked) {
  const auto good = plan::make_plan(convolution_into_dense(), tiny_request(10)).plan;
  EXPECT_TRUE(good.steps[0].streamed);
  EXPECT_FALSE(good.steps[1].streamed);
  for (const auto& t : good.tasks) EXPECT_NE(t.step, 0u);
  const auto refused = [](const ServerPlan& p, const char* why) {
    try {
      plan::verify_plan(p);
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
      return;
    }
    ADD_FAILURE() << "accepted: " << why;
  };
  EXPECT_NO_THROW(plan::verify_plan(good));
  auto bad = good;
  bad.steps[1].streamed = true;  // it relinearises, and has a task
  refused(bad, "a task is of step");
  bad = good;
  bad.steps[0].streamed = false;
  refused(bad, "no task covers some groups");
  bad = good;
  bad.tasks.insert(bad.tasks.begin(), plan::Task{0, 0, 1, {}});
  refused(bad, "which is streamed");
  bad = good;
  bad.steps[2].sources[0].value = bad.steps[0].output;  // a second reader
  bad.steps[2].sources[0].elements.resize(1);
  EXPECT_THROW(plan::verify_plan(bad), Error);
}

}  // namespace
}  // namespace velum::test
