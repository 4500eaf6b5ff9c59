// A predicted precision is promised of every output: also of one whose weights are far larger than the
// others', which an average over the outputs would hide.
#include <gtest/gtest.h>

#include <cmath>

#include "support/encrypted_run.h"
#include "support/graphs.h"

namespace velum::test {
namespace {

using namespace model;

constexpr std::int64_t kOutputs = 16;

// Output 0 reads all it can, the others next to nothing.
Graph uneven_network(unsigned seed) {
  GraphBuilder b({12}, seed);
  const auto x = b.quadratic(b.dense(b.input(), 12, 24), {24});
  auto g = b.finish(b.dense(x, 24, kOutputs));
  auto& weights = std::get<Dense>(g.nodes.back().op).weights;
  for (std::size_t i = 24; i < weights.size(); ++i) weights[i] *= 0.01F;
  return g;
}

// Bits of the bound that the worst output keeps.
double measured(const EncryptedRun& run) {
  const auto& client = run.planned.plan.client;
  double worst = 0;
  for (std::size_t o = 0; o < client.outputs; ++o) {
    double squares = 0, images = 0;
    for (std::size_t i = o; i < run.expected.size(); i += client.outputs, ++images)
      squares += std::pow(run.expected[i] - run.outputs[i], 2);
    worst = std::max(worst, std::sqrt(squares / images));
  }
  return -std::log2(worst / client.output_bound);
}

double predicted(const EncryptedRun& run) {
  const auto& plan = run.planned.plan;
  const auto& out = plan.values[plan.output_value];
  return -std::log2(out.error_rms / out.bound);
}

void expect_promise_kept(const plan::Request& request, std::size_t images) {
  double more = 0;
  constexpr unsigned kSeeds = 6;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    const auto run = run_encrypted(uneven_network(seed), request, images, seed);
    // Weights are rounded once, and images are few: one draw may be worse than its variance. An average over
    // the outputs would be two bits higher.
    EXPECT_GE(measured(run), predicted(run) - 0.8) << seed;
    more += (measured(run) - predicted(run)) / kSeeds;
  }
  EXPECT_GE(more, -0.25);
  EXPECT_LE(more, 2.5);  // and it is no promise of next to nothing
}

TEST(PrecisionPromise, HoldsForTheWorstOutput) {
  expect_promise_kept(tiny_request(), 200);
}

TEST(PrecisionPromise, HoldsForTheWorstOutputInBlocks) {
  // A ring for 64 images: of the 32 that a smaller one holds one run in 75 fell short by chance.
  auto request = tiny_request(10);
  request.packing = plan::Packing::blocks;
  request.blocks = 16;
  request.batch = 1;
  expect_promise_kept(request, 64);
}

}  // namespace
}  // namespace velum::test
