// Products with weights by block on real limbs, against sums of whole polynomials in 128-bit integers.
#include "engine/run_products.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "base/parallel.h"
#include "ckks/core/encoder.h"
#include "engine/affine.h"
#include "engine/run_weights.h"
#include "plan/schedule/run_products.h"
#include "ring/primes.h"

namespace velum::engine {
namespace {

using kernels::u128;

// Squares, lifted plain inputs, and plain inputs of three polynomials; a group of pairs and inputs by block,
// one of inputs by block alone with many rows, one of pairs alone; a bias by block or the same in all.
struct Fixture {
  std::size_t n, blocks, many;
  ckks::ParametersLiteral literal;
  plan::ServerPlan plan;
  std::mt19937 random{5};

  std::int16_t weight() {
    return static_cast<std::int16_t>(std::uniform_int_distribution<int>(-32767, 32767)(random));
  }

  Fixture(std::size_t dimension, std::size_t p, std::size_t inputs, bool block_bias)
      : n(dimension), blocks(p), many(inputs) {
    const u64 order = ring::root_order(ckks::RingType::real, n);
    literal = {
        .ring = ckks::RingType::real, .n = n, .moduli = {}, .special = {}, .security = ckks::Security::none};
    for (const double target : {0x1p31, 0x1p47})
      literal.moduli.push_back(ring::prime_near(target, order, literal.moduli));
    plan.client.blocks = static_cast<std::uint32_t>(blocks);
    const auto count = static_cast<std::uint32_t>(many);
    plan.values.resize(4);
    plan.values[0] = {.name = "a", .elements = count, .polys = 2, .limbs = 2, .row_begin = {0, count}};
    plan.values[1] = {.name = "b", .elements = 2, .polys = 2, .limbs = 2, .row_begin = {0, 2}};
    plan.values[2] = {.name = "c", .elements = 1, .polys = 3, .limbs = 2, .row_begin = {0, 1}};
    plan.values[3] = {.name = "out", .elements = 40, .polys = 3, .limbs = 2, .row_begin = {0, 40}};
    plan::Step step;
    step.name = "step";
    step.output = 3;
    step.sources = {{.value = 0, .kind = plan::SourceKind::square, .lift = 1, .elements = {}},
                    {.value = 1, .kind = plan::SourceKind::plain, .lift = 12345, .elements = {1, 0}},
                    {.value = 2, .kind = plan::SourceKind::plain, .lift = 1, .elements = {0}}};
    for (std::uint32_t e = 0; e < count; ++e) step.sources[0].elements.push_back(e);
    step.limbs = 2;
    step.polys = 3;
    step.pairs = {{0, 1}, {count, plan::kAbsent}};
    step.groups.resize(3);
    step.groups[0] = {.first_output = 0,
                      .rows = 3,
                      .pairs = {0, 1},
                      .weight_offset = 0,
                      .run_pairs = 1,
                      .row_l1 = 131072,
                      .periodic_inputs = {2, count + 1, count + 2},
                      .periodic_offset = 0};
    step.groups[1] = {.first_output = 3, .rows = 35, .periodic_inputs = {}, .periodic_offset = 9 * blocks};
    for (std::uint32_t i = 0; i < count + 2; ++i) step.groups[1].periodic_inputs.push_back(i);
    step.groups[2] = {
        .first_output = 38, .rows = 2, .pairs = {1}, .weight_offset = 12, .run_pairs = 1, .row_l1 = 65536};
    for (int i = 0; i < 16; ++i) step.weights.push_back(weight() / 2);
    const std::size_t periodic = (9 + 35 * (many + 2)) * blocks;
    for (std::size_t i = 0; i < periodic; ++i) step.periodic.push_back(weight());
    for (std::size_t i = 0; i < 40 * (block_bias ? blocks : 1); ++i) step.bias.push_back(weight() / 64.0);
    step.affine_scale = 4096;
    plan.steps.push_back(step);
  }

  // The residues of the plaintext of period P with these coefficients, by the whole transform.
  std::vector<u64> residues(const std::function<u64(std::size_t)>& coefficient,
                            const ckks::Parameters& params, std::size_t l) const {
    std::vector<u64> x(n, 0);
    for (std::size_t i = 0; i < blocks; ++i) x[i * (n / blocks)] = coefficient(i);
    kernels::table().ntt_forward(x.data(), params.ring().ntt(l));
    return x;
  }
};

// Outputs by both functions; `keep`: with the weights' residues kept.
std::vector<u64> run(Fixture& f, int thread_count, bool keep, const ckks::Parameters& params,
                     ValueStore& store) {
  use_threads(thread_count);
  auto prepared = prepare_step(f.plan.steps[0], 40, params, f.blocks);
  EXPECT_FALSE(prepared.kept.begin.empty());
  if (!keep) prepared.kept = {};
  Workers workers(static_cast<std::size_t>(threads()));
  const plan::Part part = {0, 1, 2};
  const auto output = [&](std::uint32_t o) { return store.element(3, o); };
  EXPECT_TRUE(has_run_products(prepared, part));
  run_affine(prepared, part, params, store, workers, output);
  run_products(prepared, part, params, store, workers, output);
  use_threads(0);
  std::vector<u64> all;
  for (std::uint32_t o = 0; o < 40; ++o) all.insert(all.end(), output(o).data, output(o).data + 3 * 2 * f.n);
  return all;
}

void fill(Fixture& f, const ckks::Parameters& params, ValueStore& store) {
  std::mt19937_64 random(9);
  for (std::uint32_t v = 0; v < 4; ++v) {
    store.hold(v, 0, f.plan.values[v].elements);
    for (std::uint32_t e = 0; e < f.plan.values[v].elements; ++e)
      for (std::size_t p = 0; p < f.plan.values[v].polys; ++p)
        for (std::size_t l = 0; l < 2; ++l)
          for (std::size_t j = 0; j < f.n; ++j)
            store.element(v, e).limb(p, l)[j] = random() % params.ring().q(l);
  }
}

// Sums of whole polynomials.
std::vector<u64> expected(Fixture& f, const ckks::Parameters& params, ValueStore& store) {
  const auto& step = f.plan.steps[0];
  const std::size_t n = f.n, blocks = f.blocks, many = f.many;
  std::vector<u64> all(40 * 3 * 2 * n);
  const ckks::Encoder encoder(ckks::RingType::real, blocks);
  for (std::size_t l = 0; l < 2; ++l) {
    const u64 q = params.ring().q(l);
    const auto small = [q](std::int64_t w) { return w < 0 ? q - static_cast<u64>(-w) : static_cast<u64>(w); };
    const auto input = [&](std::size_t k, std::size_t p, std::size_t j) -> u64 {
      if (k == many + 2) return store.element(2, 0).limb(p, l)[j];
      if (k >= many) {
        const auto x = store.element(1, k == many ? 1 : 0);
        return p == 2 ? 0 : static_cast<u64>(u128{x.limb(p, l)[j]} * 12345 % q);
      }
      const auto x = store.element(0, static_cast<std::uint32_t>(k));
      const u128 c0 = x.limb(0, l)[j], c1 = x.limb(1, l)[j];
      return static_cast<u64>((p == 0 ? c0 * c0 : p == 1 ? 2 * c0 * c1 : c1 * c1) % q);
    };
    for (const auto& g : step.groups)
      for (std::size_t r = 0; r < g.rows; ++r) {
        const std::size_t o = g.first_output + r;
        const auto at = [&](std::size_t p, std::size_t j) -> u64& {
          return all[((o * 3 + p) * 2 + l) * n + j];
        };
        const auto add = [&](std::size_t k, std::size_t j, u64 w) {
          for (std::size_t p = 0; p < 3; ++p)
            at(p, j) = static_cast<u64>((at(p, j) + u128{w} * input(k, p, j)) % q);
        };
        for (std::size_t i = 0; i < g.pairs.size(); ++i) {
          const auto* w = &step.weights[g.weight_offset + (i * g.rows + r) * 2];
          const auto& pair = step.pairs[g.pairs[i]];
          for (std::size_t j = 0; j < n; ++j) {
            add(pair.first, j, small(w[0]));
            if (pair.second != plan::kAbsent) add(pair.second, j, small(w[1]));
          }
        }
        for (std::size_t i = 0; i < g.periodic_inputs.size(); ++i) {
          const auto* w = &step.periodic[g.periodic_offset + (i * g.rows + r) * blocks];
          const auto x = f.residues([&](std::size_t c) { return small(w[c]); }, params, l);
          for (std::size_t j = 0; j < n; ++j) add(g.periodic_inputs[i], j, x[j]);
        }
        std::vector<std::int64_t> bias(blocks, 0);
        if (step.bias.size() == 40)
          bias[0] = std::llrint(step.bias[o] * step.affine_scale);
        else
          encoder.encode(bias, {step.bias.data() + o * blocks, blocks}, step.affine_scale);
        const auto x = f.residues([&](std::size_t c) { return small(bias[c]); }, params, l);
        for (std::size_t j = 0; j < n; ++j) at(0, j) = (at(0, j) + x[j]) % q;
      }
  }
  return all;
}

struct Case {
  std::size_t n, blocks, inputs;
  bool block_bias;
};
class RunProducts : public testing::TestWithParam<Case> {};

TEST_P(RunProducts, AreProductsOfPolynomials) {
  Fixture f(GetParam().n, GetParam().blocks, GetParam().inputs, GetParam().block_bias);
  const ckks::Parameters params(f.literal);
  MemoryPool pool(1 << 20);
  ValueStore store(f.plan, f.n, pool);
  fill(f, params, store);
  const auto sums = expected(f, params, store);
  for (const bool keep : {false, true})
    for (const int threads : {1, 2, 3, 7})
      EXPECT_EQ(run(f, threads, keep, params, store), sums) << threads << " threads, keep " << keep;
  const auto& chosen = kernels::table();
  for (const auto* t : kernels::available_tables()) {
    kernels::use_table(*t);
    EXPECT_EQ(run(f, 2, false, params, store), sums) << t->name;
  }
  kernels::use_table(chosen);
}

INSTANTIATE_TEST_SUITE_P(Shapes, RunProducts,
                         testing::Values(Case{64, 2, 3, true}, Case{64, 4, 3, false}, Case{64, 8, 5, true},
                                         Case{128, 16, 4, false}, Case{512, 64, 3, true},
                                         Case{512, 4, 4, true}, Case{64, 4, 300, true}),
                         [](const auto& i) {
                           return fmt::format("N{}P{}Inputs{}", i.param.n, i.param.blocks, i.param.inputs);
                         });

TEST(RunProductMemory, StaysWithinItsBounds) {
  for (const std::size_t blocks : {4u, 64u, 1024u, 8192u})
    for (const std::size_t inputs : {1u, 100u, 5000u}) {
      const auto s = plan::slice_runs(inputs, plan::kRunRows, 3, blocks, 65536);
      EXPECT_GE(s.inputs, 1u);
      EXPECT_LE(s.inputs, inputs);
      EXPECT_LE(s.inputs * plan::kRunRows * blocks * 8, plan::kRunWeightBytes);
      EXPECT_LE(s.inputs * 3 * s.columns * 8, plan::kRunInputBytes);
      EXPECT_GE(s.columns, 16u);
    }
}

TEST(KeptWeights, GroupsWithTheSameWeightsShareThem) {
  Fixture f(64, 4, 3, false);
  auto& step = f.plan.steps[0];
  const auto alone = plan::kept_weight_bytes(step, 4, 8192);
  EXPECT_EQ(alone, (9 + 35 * 5) * 4 * 2 * 8u);
  step.groups.push_back(step.groups[1]);
  step.groups.back().first_output = 40;
  EXPECT_EQ(plan::kept_weight_bytes(step, 4, 8192), alone);
  const ckks::Parameters params(f.literal);
  const auto kept = prepare_step(step, 41, params, 4).kept;
  EXPECT_EQ(kept.begin[3], kept.begin[1]);
  EXPECT_EQ(kept.residues.size() * 8, alone);
  EXPECT_EQ(plan::kept_weight_bytes(step, 4, 32768), 0u);  // gigabytes for all steps of a large network
  step.groups[1].rows = 1u << 20;
  EXPECT_EQ(plan::kept_weight_bytes(step, 4, 8192), 0u);
}

// Lifts are in the residues: groups that name the same weights but lift their inputs otherwise have residues
// of their own, in memory that was counted for both.
TEST(KeptWeights, GroupsThatLiftTheirInputsOtherwiseShareNone) {
  Fixture f(64, 4, 3, false);
  auto& step = f.plan.steps[0];
  const auto alone = plan::kept_weight_bytes(step, 4, 64);
  step.groups.push_back(step.groups[0]);
  step.groups.back().first_output = 40;
  step.groups.back().periodic_inputs = {0, 1, 2};  // squares, where the first has an input that is lifted
  EXPECT_EQ(plan::kept_weight_bytes(step, 4, 64), alone + 9 * 4 * 2 * 8u);
  const ckks::Parameters params(f.literal);
  const auto kept = prepare_step(step, 43, params, 4).kept;
  EXPECT_NE(kept.begin[3], kept.begin[0]);
  EXPECT_EQ(kept.residues.size() * 8, alone + 9 * 4 * 2 * 8u);
}

}  // namespace
}  // namespace velum::engine
