// The affine map on real limbs against a sum of products in 128-bit integers.
#include "engine/affine.h"

#include <gtest/gtest.h>

#include <random>

#include "base/parallel.h"
#include "ring/primes.h"

namespace velum::engine {
namespace {

using kernels::u128;

// A step with squares and lifted plain inputs, two groups of different shape, an absent pair member and a
// bias.
struct Fixture {
  std::size_t n = 64;
  ckks::ParametersLiteral literal;
  plan::ServerPlan plan;

  Fixture() {
    const u64 order = ring::root_order(ckks::RingType::real, n);
    literal = {
        .ring = ckks::RingType::real, .n = n, .moduli = {}, .special = {}, .security = ckks::Security::none};
    for (const double target : {0x1p31, 0x1p40, 0x1p47})
      literal.moduli.push_back(ring::prime_near(target, order, literal.moduli));
    plan.values.resize(3);
    plan.values[0] = {.name = "a", .elements = 4, .polys = 2, .limbs = 3, .row_begin = {0, 2, 4}};
    plan.values[1] = {.name = "b", .elements = 2, .polys = 2, .limbs = 3, .row_begin = {0, 2}};
    plan.values[2] = {.name = "out", .elements = 5, .polys = 3, .limbs = 3, .row_begin = {0, 5}};
    plan::Step step;
    step.name = "step";
    step.output = 2;
    step.sources = {{.value = 0, .kind = plan::SourceKind::square, .lift = 1, .elements = {0, 1, 2, 3}},
                    {.value = 1, .kind = plan::SourceKind::plain, .lift = 12345, .elements = {1}}};
    step.limbs = 3;
    step.polys = 3;
    step.pairs = {{0, 1}, {2, 3}, {4, plan::kAbsent}};
    step.groups.resize(2);
    step.groups[0] = {
        .first_output = 0, .rows = 3, .pairs = {0, 2}, .weight_offset = 0, .run_pairs = 2, .row_l1 = 4000};
    step.groups[1] = {.first_output = 3,
                      .rows = 2,
                      .pairs = {1, 0, 2},
                      .weight_offset = 12,
                      .run_pairs = 1,
                      .row_l1 = 60000};
    step.bias = {0.5, -3, 1e6, 0, -0.25};
    step.affine_scale = 4096;
    std::mt19937 random(5);
    std::uniform_int_distribution<int> weight(-900, 900);
    for (int i = 0; i < 24; ++i) step.weights.push_back(static_cast<std::int16_t>(weight(random)));
    plan.steps.push_back(step);
  }
};

std::vector<u64> run(Fixture& f, int thread_count) {
  use_threads(thread_count);
  const ckks::Parameters params(f.literal);
  MemoryPool pool(1 << 20);
  ValueStore store(f.plan, f.n, pool);
  std::mt19937_64 random(9);
  for (std::uint32_t v = 0; v < 2; ++v) {
    store.hold(v, 0, f.plan.values[v].elements);
    for (std::uint32_t e = 0; e < f.plan.values[v].elements; ++e)
      for (std::size_t p = 0; p < 2; ++p)
        for (std::size_t l = 0; l < 3; ++l)
          for (std::size_t j = 0; j < f.n; ++j)
            store.element(v, e).limb(p, l)[j] = random() % params.ring().q(l);
  }
  store.hold(2, 0, 5);
  const auto prepared = prepare_step(f.plan.steps[0], 5, params);
  Workers workers(static_cast<std::size_t>(threads()));
  run_affine(prepared, {0, 1}, params, store, workers, [&](std::uint32_t o) { return store.element(2, o); });
  use_threads(0);

  std::vector<u64> all;
  const auto& step = f.plan.steps[0];
  for (std::uint32_t o = 0; o < 5; ++o)
    for (std::size_t p = 0; p < 3; ++p)
      for (std::size_t l = 0; l < 3; ++l)
        for (std::size_t j = 0; j < f.n; ++j) {
          const u64 q = params.ring().q(l);
          const auto input = [&](std::uint32_t k) -> u64 {
            if (k == 4)
              return p == 2 ? 0 : static_cast<u64>(u128{store.element(1, 1).limb(p, l)[j]} * 12345 % q);
            const u128 c0 = store.element(0, k).limb(0, l)[j], c1 = store.element(0, k).limb(1, l)[j];
            return static_cast<u64>((p == 0 ? c0 * c0 : p == 1 ? 2 * c0 * c1 : c1 * c1) % q);
          };
          const auto& g = step.groups[o < 3 ? 0 : 1];
          const auto row = o - g.first_output;
          __int128 sum = p == 0 ? static_cast<__int128>(std::nearbyint(step.bias[o] * step.affine_scale)) : 0;
          for (std::size_t k = 0; k < g.pairs.size(); ++k) {
            const auto* w = &step.weights[g.weight_offset + (k * g.rows + row) * 2];
            const auto& pair = step.pairs[g.pairs[k]];
            sum += static_cast<__int128>(w[0]) * input(pair.first);
            if (pair.second != plan::kAbsent) sum += static_cast<__int128>(w[1]) * input(pair.second);
          }
          __int128 r = sum % static_cast<__int128>(q);
          if (r < 0) r += q;
          const u64 got = store.element(2, o).limb(p, l)[j];
          EXPECT_EQ(got, static_cast<u64>(r))
              << "output " << o << " poly " << p << " limb " << l << " column " << j;
          all.push_back(got);
          if (got != static_cast<u64>(r)) return all;
        }
  return all;
}

TEST(Affine, IsTheSumOfProductsForEveryThreadCount) {
  Fixture f;
  const auto one = run(f, 1);
  EXPECT_EQ(one, run(f, 2));
  EXPECT_EQ(one, run(f, 3));
}

TEST(Affine, IsTheSameWithEveryKernelVariant) {
  Fixture f;
  const auto& chosen = kernels::table();
  const auto expected = run(f, 2);
  for (const auto* t : kernels::available_tables()) {
    kernels::use_table(*t);
    EXPECT_EQ(run(f, 2), expected) << t->name;
  }
  kernels::use_table(chosen);
}

}  // namespace
}  // namespace velum::engine
