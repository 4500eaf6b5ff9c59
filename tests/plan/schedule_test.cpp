// Streaming over rows: less memory by smaller tasks, in an order that always finds its inputs.
#include <gtest/gtest.h>

#include "plan/interpreter.h"
#include "plan/networks.h"
#include "plan/schedule/cost.h"
#include "plan/schedule/peak.h"
#include "plan/schedule/schedule.h"

namespace velum::plan::testing {
namespace {

model::Graph tall_network() {
  NetworkBuilder b({2, 24, 6}, 61);
  b.convolution(4, 3, 1, 1)
      .quadratic()
      .convolution(4, 3, 1, 1)
      .quadratic()
      .convolution(4, 3, 2, 1)
      .quadratic();
  const auto skip = b.tensor();
  b.convolution(4, 3, 1, 1).quadratic().convolution(4, 1);
  b.add(model::Combine{{1, 1}}, {b.tensor(), skip}).flatten().dense(5);
  return b.finish();
}

TEST(Schedule, SmallerMemorySmallerPeak) {
  const auto g = tall_network();
  auto r = fixed_request();
  const auto roomy = make_plan(g, r).plan;
  r.memory_bytes = roomy.peak_bytes * 6 / 10;
  const auto tight = make_plan(g, r).plan;
  EXPECT_LE(tight.peak_bytes, r.memory_bytes);
  EXPECT_GT(tight.tasks.size(), roomy.tasks.size());
  EXPECT_EQ(tight.total.multiply_adds, roomy.total.multiply_adds);
  // The same numbers, whatever the tasks.
  NetworkBuilder b({2, 24, 6}, 1);
  const auto image = b.images(1);
  EXPECT_EQ(interpret(tight, image), interpret(roomy, image));
}

// One group of 33 rows, which are three blocks of them, and five inputs by block, two of which are squares;
// and, where it is asked for, another that has the same weights.
StepWork work_by_block(std::size_t n, std::uint32_t period, bool twice = false) {
  Step step;
  step.limbs = 4;
  step.sources = {{0, SourceKind::plain, 1, {0, 1, 2}}, {0, SourceKind::square, 1, {0, 1}}};
  Group group;
  group.rows = 33;
  group.periodic_inputs = {0, 1, 2, 3, 4};
  step.groups = {group};
  if (twice) {
    group.first_output = 33;
    step.groups.push_back(group);
  }
  step.periodic.resize(std::size_t{33} * 5 * period);
  const auto groups = static_cast<std::uint32_t>(step.groups.size());
  Task task;
  task.group_end = groups;
  return scheduled_work(step, std::uint64_t{33} * groups, std::vector{task}, n);
}

TEST(Cost, InputsByBlockAreReadAndSquaredInEveryBlockOfRows) {
  const auto w = work_by_block(16384, 64);
  EXPECT_EQ(w.periodic_products, 33u * 5);
  EXPECT_EQ(w.run_inputs, 3u * 5);
  EXPECT_EQ(w.run_squares, 3u * 2);
  const RingSize ring{16384, 1, std::vector<int>(4, 3)};
  const auto work = work_of(w, ring);
  EXPECT_EQ(work[index(Term::run_reads)], 15.0 * 4 * 2 * 16384);
  EXPECT_EQ(work[index(Term::squares)], 6.0 * 4 * 16384);
}

TEST(Cost, WeightsByBlockThatAreKeptAreNotTransformedAgain) {
  const auto transforms = [](std::size_t n, std::uint32_t period) {
    return work_of(work_by_block(n, period), {n, 1, std::vector<int>(4, 3)})[index(Term::ntt_4096)];
  };
  EXPECT_EQ(transforms(16384, 64), 0);
  EXPECT_EQ(transforms(32768, 64), 33.0 * 5 * 4 * 64 / 2 * 6);  // this ring keeps none
  EXPECT_GT(transforms(16384, 16384), 0);                       // 86 MB are not kept
}

TEST(Cost, WeightsThatGroupsShareDoNotHideTheirPeriod) {
  EXPECT_EQ(work_by_block(16384, 64).period, 64u);
  EXPECT_EQ(work_by_block(16384, 64, true).period, 64u);  // 32 while all products were counted
}

TEST(Schedule, SingleRowsKeepAFewRowsOnly) {
  auto plan = make_plan(tall_network(), fixed_request()).plan;
  plan.tasks = order_tasks(plan, std::vector<std::uint32_t>(plan.steps.size(), 1));
  state_memory(plan, plan.threads);
  verify_plan(plan);
  const auto rows = follow_schedule(plan).bytes;
  plan.tasks = order_tasks(plan, std::vector<std::uint32_t>(plan.steps.size(), 1000));
  state_memory(plan, plan.threads);
  verify_plan(plan);
  EXPECT_EQ(plan.tasks.size(), plan.steps.size());
  EXPECT_LT(rows, follow_schedule(plan).bytes / 2);
}

TEST(Schedule, EveryRowButTheOutputIsReleased) {
  const auto plan = make_plan(tall_network(), fixed_request()).plan;
  std::vector<std::vector<int>> released;
  for (const auto& v : plan.values) released.emplace_back(v.row_begin.size() - 1, 0);
  for (const auto& t : plan.tasks)
    for (const auto& r : t.releases)
      for (auto row = r.row_begin; row < r.row_end; ++row) ++released[r.value][row];
  for (std::size_t v = 0; v < released.size(); ++v)
    for (const int count : released[v]) EXPECT_EQ(count, v == plan.output_value ? 0 : 1) << "value " << v;
}

TEST(Schedule, MoreThreadsMoreWorkspace) {
  auto plan = make_plan(mnist_network(), fixed_request()).plan;
  EXPECT_EQ(total_peak_bytes(plan, 8) - total_peak_bytes(plan, 1), 7 * plan.workspace_bytes_per_thread);
  EXPECT_EQ(plan.peak_bytes, total_peak_bytes(plan, plan.threads));
}

}  // namespace
}  // namespace velum::plan::testing
