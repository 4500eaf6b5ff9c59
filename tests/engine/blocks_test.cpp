// Plans with blocks, run on ciphertexts: every slot as the plan says, neighbours included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "base/error.h"
#include "base/parallel.h"
#include "ckks/client/client.h"
#include "engine/clear.h"
#include "engine/engine.h"
#include "plan/interpreter.h"
#include "plan/passes.h"
#include "plan/schedule/peak.h"
#include "plan/schedule/run_products.h"
#include "support/block_plan.h"

namespace velum::test {
namespace {

using Values = std::vector<std::vector<double>>;

// A plan with keys; one for each number of blocks, as keys take a while.
struct Session {
  plan::ServerPlan plan;
  ckks::Parameters params;
  ckks::SecretKey secret;
  ckks::EvaluationKeys keys;
  explicit Session(plan::ServerPlan p)
      : plan(std::move(p)),
        params(plan.client.params),
        secret(ckks::SecretKey::generate(params, ring::Randomness::system())),
        keys(ckks::generate_keys(params, secret, plan.client.keys, ring::Randomness::system())) {}

  std::size_t images() const { return plan::images_per_batch(plan.client); }
  std::size_t elements() const { return plan::input_elements(plan.client); }

  // [ciphertext][slot] of images [image][element].
  std::vector<double> input(const std::vector<float>& pixels) const {
    std::vector<double> slots;
    const auto& order = plan.client.input_order;
    for (std::size_t c = 0; c < plan::input_ciphertexts(plan.client); ++c)
      for (std::size_t j = 0; j < params.slots(); ++j) {
        const auto e = order[c * plan.client.blocks + j % plan.client.blocks];
        slots.push_back(e == plan::kAbsent ? 0 : pixels[j / plan.client.blocks * elements() + e]);
      }
    return slots;
  }
  std::vector<ckks::SeededCiphertext> encrypt(const std::vector<double>& slots) const {
    const ckks::Encryptor encryptor(params, secret, ring::Randomness::system());
    std::vector<ckks::SeededCiphertext> all;
    for (std::size_t at = 0; at < slots.size(); at += params.slots())
      all.push_back(encryptor.encrypt(std::span(slots).subspan(at, params.slots()), plan.client.input_scale,
                                      plan.client.input_limbs));
    return all;
  }
  std::vector<ckks::Ciphertext> run(const std::vector<ckks::SeededCiphertext>& in,
                                    const engine::Probe& probe = {}) const {
    return engine::Engine(plan, params, keys).run(engine::MemoryInput(in, params), nullptr, {}, probe);
  }
  // Every value that a step makes, [value][ciphertext][slot].
  Values decrypted(const std::vector<double>& slots) const {
    Values values(plan.values.size());
    for (std::size_t v = 0; v < values.size(); ++v)
      values[v].resize(plan.values[v].elements * params.slots());
    const ckks::Decryptor decryptor(params, secret);
    run(encrypt(slots),
        [&](std::uint32_t value, std::uint32_t first, const std::vector<ckks::ConstView>& ciphertexts) {
          for (std::size_t i = 0; i < ciphertexts.size(); ++i)
            decryptor.decrypt(std::span(values[value]).subspan((first + i) * params.slots(), params.slots()),
                              ciphertexts[i], plan.values[value].scale);
        });
    return values;
  }
};

const Session& session(std::uint32_t blocks) {
  static std::map<std::uint32_t, Session> all;
  const auto at = all.find(blocks);
  return at != all.end() ? at->second : all.emplace(blocks, block_plan(blocks)).first->second;
}

std::vector<float> random_images(const Session& s, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> pixel(-1, 1);
  std::vector<float> images(s.images() * s.elements());
  for (auto& x : images) x = pixel(random);
  return images;
}

class Blocks : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Blocks, testing::Values(4, 16, 64));

TEST_P(Blocks, ThePlanIsSound) {
  EXPECT_NO_THROW(plan::verify_plan(session(GetParam()).plan));
}

TEST_P(Blocks, EverySlotIsAsThePlanSays) {
  const auto& s = session(GetParam());
  const auto slots = s.input(random_images(s, 3));
  const auto expected = slot_values(s.plan, slots);
  const auto found = s.decrypted(slots);
  for (std::size_t v = 1; v < expected.size(); ++v) {
    double largest = 0, worst = 0;
    for (std::size_t i = 0; i < expected[v].size(); ++i) {
      largest = std::max(largest, std::fabs(expected[v][i]));
      worst = std::max(worst, std::fabs(expected[v][i] - found[v][i]));
    }
    EXPECT_GT(largest, 0.1) << s.plan.values[v].name;
    EXPECT_LT(largest, s.plan.values[v].bound) << s.plan.values[v].name;
    EXPECT_LT(worst, 1e-3) << s.plan.values[v].name;
  }
}

// A weight of zero is rounded as the others are, so that neighbours show a little: sqrt((2 P - 1) / 12)
// steps.
double rounding(const Session& s) {
  return std::sqrt((2.0 * s.plan.client.blocks - 1) / 12) / 0x1p13;
}

TEST_P(Blocks, OneImageInDoublesIsEveryImage) {
  const auto& s = session(GetParam());
  const auto& c = s.plan.client;
  const auto images = random_images(s, 4);
  const auto found = s.decrypted(s.input(images));
  const auto clear = engine::run_clear_batch(s.plan, images, 7);
  for (std::size_t i = 0; i < 7; ++i) {
    const auto image = std::span(images).subspan(i * s.elements(), s.elements());
    const auto interpreted = plan::testing::interpret(s.plan, image);
    const auto values = engine::run_clear(s.plan, image);
    for (std::size_t k = 0; k < c.output_order.size(); ++k) {
      const auto o = c.output_order[k];
      if (o == plan::kAbsent) continue;
      const double out = found.back()[k / c.blocks * s.params.slots() + i * c.blocks + k % c.blocks];
      EXPECT_NEAR(clear[i * 3 + o], out, 1e-3 + 60 * rounding(s));
      EXPECT_NEAR(interpreted[o], out, 1e-3 + 60 * rounding(s));
      EXPECT_NEAR(values.back()[k], clear[i * 3 + o], 1e-12);
    }
  }
}

TEST_P(Blocks, AnImageLeavesZerosBesideItZero) {
  const Session s(block_plan(GetParam(), false));
  const auto& c = s.plan.client;
  auto images = random_images(s, 5);
  const std::size_t own = 2;  // the only image that is not zero
  for (std::size_t i = 0; i < images.size(); ++i)
    if (i / s.elements() != own) images[i] = 0;
  const auto found = s.decrypted(s.input(images));
  double largest = 0, worst = 0;
  for (std::size_t k = 0; k < c.output_order.size(); ++k)
    for (std::size_t i = 0; i < s.images() && c.output_order[k] != plan::kAbsent; ++i) {
      const double x = std::fabs(found.back()[k / c.blocks * s.params.slots() + i * c.blocks + k % c.blocks]);
      (i == own ? largest : worst) = std::max(i == own ? largest : worst, x);
    }
  EXPECT_GT(largest, 0.02);
  EXPECT_LT(worst, 1e-3 + 10 * rounding(s));
}

std::vector<ckks::u64> words(const std::vector<ckks::Ciphertext>& all) {
  std::vector<ckks::u64> w;
  for (const auto& c : all) w.insert(w.end(), c.view().data, c.view().data + c.polys() * c.limbs() * c.n());
  return w;
}

TEST_P(Blocks, GiveTheSameBitsForEveryThreadCountAndKernelVariant) {
  const auto& s = session(GetParam());
  const auto in = s.encrypt(s.input(random_images(s, 6)));
  use_threads(1);
  const auto one = words(s.run(in));
  for (const int t : {2, 3, 8}) {
    use_threads(t);
    EXPECT_EQ(words(s.run(in)), one) << t << " threads";
  }
  use_threads(2);
  const auto& chosen = kernels::table();
  for (const auto* t : kernels::available_tables()) {
    kernels::use_table(*t);
    EXPECT_EQ(words(s.run(in)), one) << t->name;
  }
  kernels::use_table(chosen);
  use_threads(0);
}

TEST_P(Blocks, TakeTheMemoryThatThePlanStates) {
  const auto& s = session(GetParam());
  const ckks::Evaluator evaluator(s.params);
  EXPECT_GE(plan::workspace_bytes(s.plan), 8 * (evaluator.decomposed_words(4) + evaluator.scratch_words(4)));
  for (const auto& step : s.plan.steps)
    EXPECT_GE(plan::workspace_bytes(s.plan),
              8 * plan::run_product_words(step, 0, step.groups.size(), GetParam(), s.params.n()));
  engine::RunReport report;
  const auto in = s.encrypt(s.input(random_images(s, 8)));
  engine::Engine(s.plan, s.params, s.keys).run(engine::MemoryInput(in, s.params), &report);
  const auto stated = static_cast<double>(plan::follow_schedule(s.plan).bytes);
  EXPECT_NEAR(static_cast<double>(report.peak_bytes_of_values), stated, stated / 50);
}

TEST(BlockKeys, ARotationWithoutItsKeyIsRefused) {
  const auto& s = session(16);
  auto list = s.plan.client.keys;
  list.rotations.pop_back();
  const auto poor = ckks::generate_keys(s.params, s.secret, list, ring::Randomness::system());
  try {
    engine::Engine(s.plan, s.params, poor);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit_code(), 2);
    EXPECT_NE(std::string(e.what()).find("rotations by -1"), std::string::npos) << e.what();
  }
  list = s.plan.client.keys;
  for (auto& r : list.rotations) r.limbs = 1;
  const auto low = ckks::generate_keys(s.params, s.secret, list, ring::Randomness::system());
  EXPECT_THROW(engine::Engine(s.plan, s.params, low), Error);
}

}  // namespace
}  // namespace velum::test
