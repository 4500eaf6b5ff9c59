// One step run on drawn residues: what tests of the engine's inner loops compare.
#pragma once

#include <random>

#include "base/parallel.h"
#include "engine/affine.h"
#include "engine/square_sums.h"
#include "ring/primes.h"

namespace velum::engine::testing {

// A value of `inputs` elements with two polynomials over three limbs, and a step over it without groups.
inline plan::ServerPlan plan_of_one_step(std::size_t n, std::uint32_t inputs, std::uint32_t outputs,
                                         plan::SourceKind kind) {
  plan::ServerPlan plan;
  const u64 order = ring::root_order(ckks::RingType::real, n);
  plan.client.params = {
      .ring = ckks::RingType::real, .n = n, .moduli = {}, .special = {}, .security = ckks::Security::none};
  auto& moduli = plan.client.params.moduli;
  for (const double target : {0x1p31, 0x1p40, 0x1p47})
    moduli.push_back(ring::prime_near(target, order, moduli));
  const std::uint8_t polys = kind == plan::SourceKind::square ? 3 : 2;
  plan.values.resize(2);
  plan.values[0] = {.name = "in", .elements = inputs, .polys = 2, .limbs = 3, .row_begin = {0, inputs}};
  plan.values[1] = {
      .name = "out", .elements = outputs, .polys = polys, .limbs = 3, .row_begin = {0, outputs}};
  plan::Step step;
  step.name = "step";
  step.output = 1;
  step.sources = {{.value = 0, .kind = kind, .lift = 1, .elements = {}}};
  for (std::uint32_t e = 0; e < inputs; ++e) step.sources[0].elements.push_back(e);
  step.limbs = 3;
  step.polys = polys;
  for (std::uint32_t e = 0; e < inputs; e += 2)
    step.pairs.push_back({e, e + 1 < inputs ? e + 1 : plan::kAbsent});
  step.affine_scale = 4096;
  plan.steps.push_back(step);
  return plan;
}

// All residues of the outputs, by output, polynomial, limb and column. `sums`: by run_square_sums, else by
// run_affine, part by part.
inline std::vector<u64> run_step(const plan::ServerPlan& plan, bool sums, int thread_count) {
  use_threads(thread_count);
  const auto& step = plan.steps[0];
  const ckks::Parameters params(plan.client.params);
  const std::size_t n = params.n();
  MemoryPool pool(1 << 20);
  ValueStore store(plan, n, pool);
  std::mt19937_64 random(9);
  store.hold(0, 0, plan.values[0].elements);
  for (std::uint32_t e = 0; e < plan.values[0].elements; ++e)
    for (std::size_t p = 0; p < 2; ++p)
      for (std::size_t l = 0; l < 3; ++l)
        for (std::size_t j = 0; j < n; ++j) store.element(0, e).limb(p, l)[j] = random() % params.ring().q(l);
  const auto outputs = plan.values[1].elements;
  store.hold(1, 0, outputs);
  const auto prepared = prepare_step(step, outputs, params);
  const plan::Task task{.step = 0,
                        .group_begin = 0,
                        .group_end = static_cast<std::uint32_t>(step.groups.size()),
                        .releases = {}};
  const auto place = [&](std::uint32_t o) { return store.element(1, o); };
  const auto parts = plan::independent_parts(step, task, n);
  Workers workers(static_cast<std::size_t>(threads()));
  if (sums) {
    run_square_sums(prepared, parts, params, store, workers, place);
  } else {
    for (const auto& part : parts) run_affine(prepared, part, params, store, workers, place);
  }
  use_threads(0);
  std::vector<u64> all;
  for (std::uint32_t o = 0; o < outputs; ++o)
    for (std::size_t p = 0; p < step.polys; ++p)
      for (std::size_t l = 0; l < 3; ++l)
        all.insert(all.end(), store.element(1, o).limb(p, l), store.element(1, o).limb(p, l) + n);
  return all;
}

}  // namespace velum::engine::testing
