// Damaged plans: what verify_plan refuses, each made from a good plan by one change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/error.h"
#include "kernels/types.h"
#include "plan/networks.h"

namespace velum::plan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ServerPlan& sample() {
  static const ServerPlan plan = [] {
    NetworkBuilder b({1, 6, 6}, 51);
    b.convolution(4, 3, 1, 1).varied_quadratic().flatten().dense(201).quadratic().dense(3);
    return make_plan(b.finish(), fixed_request()).plan;
  }();
  return plan;
}

const ServerPlan& sample_in_blocks() {
  static const ServerPlan plan = [] {
    NetworkBuilder b({2, 8, 8}, 52);
    b.convolution(4, 3, 1, 1).varied_quadratic().convolution(3, 3, 1, 1).quadratic().flatten().dense(4);
    auto r = fixed_request();
    r.packing = Packing::blocks;
    r.blocks = 16;
    r.batch = 1;
    return make_plan(b.finish(), r).plan;
  }();
  return plan;
}

std::string refusal(const ServerPlan& plan) {
  try {
    verify_plan(plan);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  return "accepted";
}

using Break = std::pair<std::string, std::function<void(ServerPlan&)>>;

void expect_refused(const ServerPlan& good, const std::vector<Break>& breaks) {
  ASSERT_EQ(refusal(good), "accepted");
  for (const auto& [word, spoil] : breaks) {
    auto plan = good;
    spoil(plan);
    EXPECT_THAT(refusal(plan), HasSubstr(word));
  }
}

// --- what is read before it is there ---

// The last group of a row is computed after a task that reads the row.
TEST(VerifyPlan, RefusesToReadAnElementThatIsNotComputedYet) {
  auto plan = sample();
  std::size_t first = 0;
  while (plan.tasks[first].step != 0) ++first;
  std::size_t last = first;
  while (last + 1 < plan.tasks.size() && plan.tasks[last + 1].step == 0) ++last;
  auto& whole = plan.tasks[last];
  ASSERT_GE(whole.group_end - whole.group_begin, 2u);
  Task late = whole;
  late.group_begin = --whole.group_end;
  late.releases.clear();
  // Rows are freed at the end, so that none of them is used afterwards.
  for (auto& t : plan.tasks) t.releases.clear();
  ASSERT_EQ(refusal([&] {
              auto in_order = plan;
              in_order.tasks.insert(in_order.tasks.begin() + static_cast<std::ptrdiff_t>(last) + 1, late);
              in_order.peak_bytes = 1;
              return in_order;
            }())
                .find("before it is computed"),
            std::string::npos);
  plan.tasks.insert(plan.tasks.begin() + static_cast<std::ptrdiff_t>(last) + 2, late);
  EXPECT_THAT(refusal(plan), HasSubstr("before it is computed"));
}

// --- memory ---

TEST(VerifyPlan, RefusesMemoryThatIsNotWhatItTakes) {
  for (const auto* good : {&sample(), &sample_in_blocks()})
    expect_refused(
        *good, {
                   {"a peak of 1 bytes", [](auto& p) { p.peak_bytes = 1; }},
                   {"states a peak", [](auto& p) { p.peak_bytes += 1; }},
                   {"states a peak", [](auto& p) { p.peak_bytes = ~std::uint64_t{0}; }},
                   {"of workspace", [](auto& p) { p.workspace_bytes_per_thread = 0; }},
                   {"of workspace", [](auto& p) { p.workspace_bytes_per_thread += 8; }},
                   {"of workspace", [](auto& p) { p.workspace_bytes_per_thread = ~std::uint64_t{0} / 2; }},
                   {"0 threads", [](auto& p) { p.threads = 0; }},
                   {"-1 threads", [](auto& p) { p.threads = -1; }},
                   {"states a peak", [](auto& p) { p.threads += 1; }},
                   {"threads", [](auto& p) { p.threads = std::numeric_limits<int>::max(); }},
                   // Nothing is released: more is alive.
                   {"states a peak",
                    [](auto& p) {
                      for (auto& t : p.tasks) t.releases.clear();
                    }},
               });
}

// Before memory is taken for them: a small file may state many.
TEST(VerifyPlan, RefusesManyLargeValues) {
  auto bad = sample();
  const auto large = [](Value v) {
    v.elements = 1u << 26;
    v.row_begin = {0, v.elements};
    v.layout.clear();
    return v;
  };
  for (int i = 0; i < 5; ++i) {
    bad.values.push_back(large(bad.values[1]));
    bad.steps.push_back(bad.steps[0]);
  }
  EXPECT_THAT(refusal(bad), HasSubstr("elements, expected 268435456 at most"));
}

TEST(VerifyPlan, RefusesValuesBeyondAnyMemory) {
  expect_refused(sample(), {{"elements, expected 1 to", [](auto& p) {
                               p.values[1].elements = 0xfffffff0u;
                               p.values[1].row_begin.back() = 0xfffffff0u;
                             }}});
}

// --- arithmetic ---

// A pair of the first group whose second member is absent.
ServerPlan with_absent_member() {
  auto plan = sample();
  for (auto& s : plan.steps)
    for (auto& g : s.groups)
      for (std::size_t k = 0; k < g.pairs.size(); ++k)
        if (s.pairs[g.pairs[k]].second == kAbsent) {
          s.weights[g.weight_offset + 2 * k * kernels::row_block(g.rows, 0).end + 1] = 1;
          g.row_l1 += 1;
          return plan;
        }
  ADD_FAILURE() << "no pair has an absent member";
  return plan;
}

TEST(VerifyPlan, RefusesAWeightOnAnAbsentMember) {
  EXPECT_THAT(refusal(with_absent_member()), HasSubstr("on an input that is absent"));
}

TEST(VerifyPlan, RefusesLiftsBeyondTheModuli) {
  NetworkBuilder b({3, 8, 8}, 31);  // some quadratics are nearly flat: x is carried beside x^2, and lifted
  b.convolution(4, 3, 1, 1).varied_quadratic(0.1, 0.3).flatten().dense(3);
  const auto plan = make_plan(b.finish(), fixed_request()).plan;
  const auto& sources = plan.steps.back().sources;
  ASSERT_TRUE(std::any_of(sources.begin(), sources.end(), [](const auto& s) { return s.lift > 1; }));
  for (const std::uint64_t lift : {~std::uint64_t{0}, std::uint64_t{1} << 63})
    for (std::size_t i = 0; i < plan.steps.size(); ++i)
      for (std::size_t j = 0; j < plan.steps[i].sources.size(); ++j) {
        auto bad = plan;
        bad.steps[i].sources[j].lift = lift;
        EXPECT_NE(refusal(bad), "accepted") << "step " << i << ", source " << j;
      }
}

TEST(VerifyPlan, RefusesBiasesThatNothingLeavesRoomFor) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  for (const auto* good : {&sample(), &sample_in_blocks()})
    for (std::size_t i = 0; i < good->steps.size(); ++i) {
      if (good->steps[i].bias.empty()) continue;
      for (const double bias : {1e300, -1e300, 1e200, 1e30, kInfinite, -kInfinite, std::nan("")}) {
        auto bad = *good;
        bad.steps[i].bias.back() = bias;
        EXPECT_THAT(refusal(bad), HasSubstr("has a bias of")) << "step " << i << ", " << bias;
      }
    }
}

// Past the moduli: no input within its bound brings the sum back.
TEST(VerifyPlan, RefusesABiasBeyondTheModuli) {
  auto bad = sample();
  auto& last = bad.steps.back();
  double height = 0x1p24;
  for (std::uint32_t l = 0; l < last.limbs; ++l) height *= static_cast<double>(bad.client.params.moduli[l]);
  last.bias[0] = height / last.affine_scale;
  EXPECT_THAT(refusal(bad), HasSubstr("has a bias of"));
}

TEST(VerifyPlan, RefusesBoundsThatTheModuliCannotHold) {
  const auto raised = [](double factor) {
    return [factor](ServerPlan& p) {
      p.client.output_bound *= factor;
      p.values[p.output_value].bound *= factor;
    };
  };
  expect_refused(sample(),
                 {
                     {"outputs up to", raised(1e3)},
                     {"outputs up to", raised(1e300)},
                     {"not what the client half says", [](auto& p) { p.client.output_bound *= 0.5; }},
                     {"overflows", [](auto& p) { p.values[0].bound = 1e300; }},
                     {"typical size", [](auto& p) { p.values[1].rms = -1; }},
                     {"typical size", [](auto& p) { p.values[1].error_rms = std::nan(""); }},
                     {"seconds", [](auto& p) { p.steps[0].cost.seconds = -1; }},
                 });
  NetworkBuilder b({6}, 53);  // one modulus
  b.dense(3);
  expect_refused(make_plan(b.finish(), fixed_request()).plan, {{"inputs overflow", [](auto& p) {
                                                                  p.client.input_scale = 0x1p47;
                                                                  p.values[0].scale = 0x1p47;
                                                                }}});
}

// A run's weights add up to 65535 in size at most: one more is refused, that many are not.
TEST(VerifyPlan, HoldsTheBoundOfARunOfWeights) {
  auto plan = sample();
  auto& s = plan.steps.back();
  auto& g = s.groups[0];
  ASSERT_GE(g.pairs.size(), 2u);
  const std::size_t rows = g.rows;  // one block: weights are [pair][row][2]
  ASSERT_LE(rows, 4u);
  g.run_pairs = static_cast<std::uint32_t>(g.pairs.size());
  g.row_l1 = 1 << 20;
  std::fill(s.weights.begin(), s.weights.end(), std::int16_t{0});
  auto* w = s.weights.data() + g.weight_offset;
  w[0] = 32767;
  w[1] = -32767;
  w[2 * rows] = 1;
  EXPECT_THAT(refusal(plan), Not(HasSubstr("run of weights")));
  w[2 * rows] = -2;
  EXPECT_THAT(refusal(plan), HasSubstr("a run of weights with sum 65536"));
}

// By it the kernels know when their sums must be reduced: one too little is too little.
TEST(VerifyPlan, HoldsTheStatedSumOfARow) {
  for (std::size_t i = 0; i < sample().steps.size(); ++i) {
    auto plan = sample();
    if (plan.steps[i].groups.empty()) continue;
    auto& l1 = plan.steps[i].groups[0].row_l1;
    l1 += 1000;
    EXPECT_EQ(refusal(plan), "accepted");
    std::size_t spare = 0;
    while (refusal(plan) == "accepted") --l1, ++spare;
    EXPECT_THAT(refusal(plan), HasSubstr("over the stated"));
    // Of the exact sum, not of something near it.
    const auto& g = plan.steps[i].groups[0];
    std::uint64_t most = 0;
    for (std::size_t b = 0; b < kernels::row_block_count(g.rows); ++b) {
      const auto [begin, end] = kernels::row_block(g.rows, b);
      for (auto r = begin; r < end; ++r) {
        std::uint64_t sum = 0;
        for (std::size_t k = 0; k < g.pairs.size(); ++k)
          for (const std::size_t member : {0u, 1u})
            sum += static_cast<std::uint64_t>(std::abs(
                int{plan.steps[i]
                        .weights[g.weight_offset +
                                 2 * (begin * g.pairs.size() + k * (end - begin) + r - begin) + member]}));
        most = std::max(most, sum);
      }
    }
    EXPECT_EQ(l1 + 1, most) << "step " << i << ", " << spare;
  }
}

TEST(VerifyPlan, HoldsTheBoundOfWeightsByBlock) {
  auto plan = sample_in_blocks();
  std::size_t i = 0;
  while (i < plan.steps.size() && plan.steps[i].periodic.empty()) ++i;
  ASSERT_LT(i, plan.steps.size());
  auto& w = plan.steps[i].periodic[0];
  const auto edge = static_cast<std::int32_t>(std::min<ckks::u64>(
      kLargestPeriodic,
      *std::min_element(plan.client.params.moduli.begin(), plan.client.params.moduli.end())));
  for (const auto sign : {1, -1}) {
    w = sign * (edge - 1);
    EXPECT_THAT(refusal(plan), Not(HasSubstr("weight by block of")));
    w = sign * edge;
    EXPECT_THAT(refusal(plan), HasSubstr("weight by block of"));
  }
}

TEST(VerifyPlan, RefusesRotationsWithoutAKey) {
  const auto rotation = [](ServerPlan& p) -> Step& {
    for (auto& s : p.steps)
      if (s.kind == StepKind::rotation) return s;
    ADD_FAILURE() << "no step rotates";
    return p.steps[0];
  };
  expect_refused(sample_in_blocks(), {
                                         {"no key does", [&](auto& p) { rotation(p).shifts[0] = 1777; }},
                                         {"no key does",
                                          [](auto& p) {
                                            for (auto& r : p.client.keys.rotations) r.limbs = 1;
                                          }},
                                         {"a layout of",
                                          [](auto& p) {
                                            for (auto& v : p.values)
                                              if (!v.layout.empty()) v.layout.pop_back();
                                          }},
                                     });
}

}  // namespace
}  // namespace velum::plan::testing
