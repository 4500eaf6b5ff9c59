// Networks in blocks against the clear executor: every packing of small networks, run in doubles by the
// interpreter, whose rotations bring garbage from beyond an image.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>

#include "base/error.h"
#include "plan/faithful.h"
#include "plan/layout/block_map.h"
#include "plan/layout/choose_layouts.h"
#include "plan/layout/pack.h"
#include "plan/mapped_network.h"

namespace velum::plan::testing {

namespace {

Request in_blocks(std::uint32_t blocks) {
  auto r = fixed_request();
  r.packing = Packing::blocks;
  r.blocks = blocks;
  r.batch = 1;
  return r;
}

void expect_faithful_in_blocks(NetworkBuilder& b, std::initializer_list<std::uint32_t> all) {
  for (const auto blocks : all) {
    SCOPED_TRACE(blocks);
    expect_faithful(b, in_blocks(blocks));
  }
}

TEST(Blocks, DenseNetwork) {
  NetworkBuilder b({20}, 31);
  b.dense(12).varied_quadratic().dense(9).varied_quadratic().dense(5);
  expect_faithful_in_blocks(b, {4, 16, 64});
}

TEST(Blocks, ConvolutionsWithPadding) {
  NetworkBuilder b({2, 8, 8}, 32);
  b.convolution(4, 3, 1, 1).quadratic().convolution(3, 3, 1, 1).quadratic().flatten().dense(4);
  expect_faithful_in_blocks(b, {4, 16, 64});
}

TEST(Blocks, StridesAndElementwiseCoefficients) {
  NetworkBuilder b({1, 12, 12}, 33);
  b.convolution(4, 5, 2, 2).varied_quadratic().convolution(6, 3, 2, 1).varied_quadratic().flatten().dense(5);
  expect_faithful_in_blocks(b, {16, 64, 128});
}

TEST(Blocks, MapsThatDoNotFillTheirRectangles) {
  NetworkBuilder b({1, 11, 7}, 34);
  b.convolution(3, 3, 1, 0).varied_quadratic().convolution(2, 3, 2, 1).quadratic().flatten().dense(3);
  expect_faithful_in_blocks(b, {4, 16, 64});
}

TEST(Blocks, PoolsOfSquares) {
  NetworkBuilder b({2, 8, 8}, 35);
  b.convolution(6, 3, 1, 1).quadratic();
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  b.add(pool).convolution(4, 3, 1, 1).quadratic().flatten().dense(4);
  expect_faithful_in_blocks(b, {4, 16, 64});
}

// Squares of either sign, in overlapping windows: their pool is a stage with a modulus of its own, or
// composed.
TEST(Blocks, PoolsOfUnevenSquares) {
  NetworkBuilder b({1, 15, 15}, 41);
  b.convolution(6, 3, 2, 1).varied_quadratic();
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = 3;
  pool.stride_h = pool.stride_w = 2;
  b.add(pool).convolution(4, 3, 1, 1).varied_quadratic().flatten().dense(4);
  expect_faithful_in_blocks(b, {16, 64});
  const auto graph = b.finish();
  const auto values = lower(graph, Pools::values), composed = lower(graph);
  EXPECT_EQ(values.stages.size(), composed.stages.size() + 1);
  for (const std::uint32_t blocks : {16u, 64u})
    for (const auto& choice : layouts_for(values, blocks))
      for (const std::uint32_t giant : {0u, 4u}) {
        SCOPED_TRACE(choice.what);
        EXPECT_LT(mapped_difference(values, choice.layouts, GiantSteps(values.stages.size(), giant)), 1e-4)
            << blocks << " blocks, giant steps " << giant;
      }
}

// After a stride a map has room to share ciphertexts, where each map has a grid of its own.
TEST(Blocks, AGridForEachMapLeavesNoGaps) {
  NetworkBuilder b({1, 16, 16}, 42);
  b.convolution(8, 3, 2, 1).varied_quadratic().convolution(8, 3, 2, 1).varied_quadratic().flatten().dense(4);
  const auto net = lower(b.finish());
  bool found = false;
  for (const auto& choice : layouts_for(net, 64)) {
    if (choice.what.find("a grid for each map") == std::string::npos) continue;
    found = true;
    EXPECT_EQ(choice.layouts[1].ciphertexts, 8u);  // 8 by 8
    EXPECT_EQ(choice.layouts[2].ciphertexts, 2u);  // 4 by 4: four channels a ciphertext
  }
  EXPECT_TRUE(found);
}

// Errors that are alike in a channel add up where a layer reads many of its elements, also in blocks.
TEST(Blocks, ErrorsOfAChannelAddUpAsInSingleElements) {
  NetworkBuilder b({1, 8, 8}, 43);
  b.convolution(2, 3, 1, 1).quadratic();
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  b.add(pool).flatten().dense(3);
  const auto net = lower(b.finish());
  const auto channels = [](const PackedStage& p) {
    double alone = 0, together = 0;
    for (const auto& s : p.sources) {
      alone += s.sum_squares;
      together += s.channel_squares;
    }
    return together / alone;
  };
  const double single = channels(pack(net, 1));
  EXPECT_GT(single, 1.5);
  for (const auto& choice : layouts_for(net, 16)) {
    const auto mapped = map_blocks(net, choice.layouts, choice.giants);
    EXPECT_NEAR(channels(pack(mapped, 1)), single, 1e-6 * single) << choice.what;
  }
}

TEST(Blocks, ResidualBranches) {
  NetworkBuilder b({2, 8, 8}, 36);
  b.convolution(4, 3, 1, 1).quadratic();
  const auto trunk = b.tensor();
  b.convolution(4, 3, 1, 1).quadratic().convolution(4, 3, 1, 1);
  const auto branch = b.tensor();
  b.add(model::Combine{{1, 1}}, {trunk, branch}).quadratic().flatten().dense(3);
  expect_faithful_in_blocks(b, {16, 64});
}

// With bare squares and small weights nothing is left that could hide a wrong element.
TEST(Blocks, EveryPairOfLayoutsOfASmallNetwork) {
  NetworkBuilder b({2, 4, 4}, 37);
  b.convolution(3, 3, 1, 1).quadratic().flatten().dense(4);
  const auto graph = b.finish();
  const auto net = lower(graph);
  for (const std::uint32_t blocks : {4u, 16u, 32u, 64u}) {
    const auto choices = layouts_for(net, blocks);
    ASSERT_FALSE(choices.empty());
    for (const auto& choice : choices)
      for (const std::uint32_t giant : {0u, 2u, 4u}) {
        SCOPED_TRACE(choice.what);
        GiantSteps giants(net.stages.size(), giant);
        EXPECT_LT(mapped_difference(net, choice.layouts, giants), 1e-4)
            << blocks << " blocks, giant steps " << giant;
      }
  }
}

TEST(Blocks, InputsReadSliceBySlice) {
  NetworkBuilder b({2, 4, 4}, 47);
  b.convolution(6, 3, 1, 1).quadratic().convolution(4, 3, 1, 1).varied_quadratic().flatten().dense(4);
  const auto net = lower(b.finish());
  for (const auto& choice : layouts_for(net, 16))
    for (const std::uint32_t giant : {0u, 4u})
      for (const std::uint32_t slices : {2u, 3u, 8u}) {
        SCOPED_TRACE(choice.what);
        EXPECT_LT(mapped_difference(net, choice.layouts, GiantSteps(net.stages.size(), giant),
                                    InputSlices(net.stages.size(), slices)),
                  1e-4)
            << "giant steps " << giant << ", slices " << slices;
      }
}

// Hundreds of rotated copies, and no fewer partial sums to rotate instead: the planner cuts the inputs.
TEST(Blocks, ManyRotatedCopiesAreMadeSliceBySlice) {
  NetworkBuilder b({1, 8, 8}, 48);
  b.convolution(36, 3, 1, 1).quadratic().convolution(72, 3, 1, 1).quadratic().flatten().dense(3);
  expect_faithful(b, in_blocks(64));
  const auto plan = make_plan(b.finish(), in_blocks(64)).plan;
  // By layer: the steps that rotate its inputs, not its partial sums.
  std::map<std::string, std::size_t> rotations;
  std::size_t most = 0;
  for (const auto& step : plan.steps)
    if (step.kind == StepKind::rotation && !plan.values[step.sources[0].value].name.ends_with(".partial"))
      most = std::max(most, ++rotations[step.name]);
  EXPECT_GT(most, 1u);
}

// Three whole sets of sums would be alive while two of them are added up into the third.
TEST(Blocks, PartialSumsAreFreedAsTheyAreAddedUp) {
  NetworkBuilder b({1, 8, 8}, 48);
  b.convolution(36, 3, 1, 1).quadratic().convolution(72, 5, 1, 2).quadratic().flatten().dense(3);
  const auto plan = make_plan(b.finish(), in_blocks(64)).plan;
  const auto is_partial = [&](std::uint32_t value) {  // rotated or not
    return plan.values[value].name.find(".partial") != std::string::npos;
  };
  std::size_t sums = 0;
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s) {
    const auto& step = plan.steps[s];
    if (!is_partial(step.output) || step.sources.size() != 2 || !is_partial(step.sources[0].value) ||
        !is_partial(step.sources[1].value))
      continue;
    ++sums;
    std::vector<const Task*> tasks;
    for (const auto& task : plan.tasks)
      if (task.step == s) tasks.push_back(&task);
    EXPECT_EQ(tasks.size(), (plan.values[step.output].elements + 31) / 32);
    for (const auto* task : tasks) {
      std::uint32_t rows = 0;
      for (const auto& r : task->releases)
        if (r.value == step.sources[0].value || r.value == step.sources[1].value)
          rows += r.row_end - r.row_begin;
      EXPECT_EQ(rows, 2u);
    }
  }
  EXPECT_GT(sums, 0u);
}

// What holds fewer copies rotates more partial sums: slower, and there for those who are short of memory.
// A part of one sum reads all rotated copies of its inputs for that sum: several are made in one step, which
// reads the copies once.
TEST(Blocks, PartsOfFewSumsAreMadeTogether) {
  NetworkBuilder b({1, 16, 16}, 45);
  b.flatten().dense(64).varied_quadratic().dense(5);
  expect_faithful_in_blocks(b, {256});
  const auto plan = make_plan(b.finish(), in_blocks(256)).plan;
  std::size_t together = 0, sums = 0;
  for (const auto& s : plan.steps) {
    if (!s.name.ends_with(".partial") || s.periodic.empty()) continue;
    const auto outputs = plan.values[s.output].elements;
    together = std::max<std::size_t>(together, outputs);
    sums += outputs;
    EXPECT_LE(outputs, 16u) << "so many are in memory before they are added";
    EXPECT_EQ(plan.values[s.output].row_begin.size(), outputs + 1u) << "a part is freed when it is added";
  }
  EXPECT_GT(sums, 8u) << to_text(plan);
  EXPECT_GT(together, 4u) << to_text(plan);
}

TEST(Blocks, LessMemoryTakesFewerRotatedCopies) {
  NetworkBuilder b({1, 8, 8}, 49);
  b.convolution(36, 3, 1, 1).quadratic().convolution(72, 5, 1, 2).quadratic().flatten().dense(3);
  const auto graph = b.finish();
  auto request = in_blocks(64);
  request.frontier = true;
  const auto result = make_plan(graph, request);
  const auto few = std::ranges::find_if(
      result.options, [](const auto& o) { return o.what.find("few rotated copies") != std::string::npos; });
  ASSERT_NE(few, result.options.end());
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& o : result.options) least = std::min(least, o.peak_bytes);
  EXPECT_LT(least, result.plan.peak_bytes);
  request.frontier = false;
  request.memory_bytes = least;
  const auto tight = make_plan(graph, request).plan;
  EXPECT_LE(tight.peak_bytes, least);
  const auto net = lower(graph);
  for (const auto& choice : layouts_for(net, 64)) {
    if (choice.what.find("few rotated copies") == std::string::npos) continue;
    EXPECT_LT(mapped_difference(net, choice.layouts, choice.giants, choice.slices), 1e-4) << choice.what;
  }
}

// What would be faster does not fit, in dozens of layouts: the search comes to those that do all the same.
TEST(Blocks, APlanThatFitsIsFoundAmongManyThatDoNot) {
  NetworkBuilder b({1, 32, 32}, 50);
  b.convolution(8, 3, 1, 1).quadratic();
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  b.add(pool).convolution(8, 3, 1, 1).quadratic().add(pool).flatten().dense(3);
  const auto graph = b.finish();
  Request request;
  request.packing = Packing::blocks;
  request.batch = 1000;
  request.frontier = true;
  const auto all = make_plan(graph, request);
  EXPECT_GT(all.options.size(), 12u);
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& o : all.options) least = std::min(least, o.peak_bytes);
  request.frontier = false;
  request.memory_bytes = least;
  EXPECT_LE(make_plan(graph, request).plan.peak_bytes, least);
}

// Dozens of partial sums: the table names them, and shows those that do the same as one row.
TEST(Blocks, TheTableHasOneRowForStepsThatDoTheSame) {
  NetworkBuilder b({1, 8, 8}, 48);
  b.convolution(36, 3, 1, 1).quadratic().convolution(72, 3, 1, 1).quadratic().flatten().dense(3);
  const auto plan = make_plan(b.finish(), in_blocks(64)).plan;
  const auto text = to_text(plan);
  std::vector<std::string> rows;
  std::istringstream lines(text.substr(text.find("\nstep ")));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) rows.push_back(line);
  EXPECT_GT(plan.steps.size(), 40u);
  EXPECT_LT(rows.size(), 25u) << text;
  std::set<std::string> names;  // with what is read
  std::size_t steps = 0;
  const std::regex row("^([^ ]+)( x([0-9]+))? +([^ ]+) .*");
  for (std::size_t i = 1; i < rows.size() && !rows[i].starts_with("reading the input"); ++i) {
    EXPECT_LT(rows[i].size(), 180u) << rows[i];
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(rows[i], parts, row)) << rows[i];
    const auto read = parts[4].str();
    EXPECT_TRUE(names.insert(parts[1].str() + " " + read.substr(0, read.rfind(':'))).second) << text;
    steps += parts[3].matched ? std::stoul(parts[3]) : 1;
  }
  EXPECT_EQ(steps, plan.steps.size()) << text;
  EXPECT_THAT(text, ::testing::ContainsRegex("convolution2.partial x[0-9]+ "));
}

TEST(Blocks, UnusedBlocksStayZero) {
  NetworkBuilder b({1, 7, 5}, 38);
  b.convolution(2, 3, 1, 1)
      .varied_quadratic(0.25, 2.0, 3.0)
      .convolution(2, 3, 1, 1)
      .quadratic()
      .flatten()
      .dense(3);
  const auto graph = b.finish();
  const auto net = lower(graph);
  for (const auto& choice : layouts_for(net, 64))
    EXPECT_EQ(largest_in_unused_blocks(map_blocks(net, choice.layouts, choice.giants)), 0) << choice.what;
}

TEST(Blocks, MoreImagesThanARingTakeMoreBatches) {
  NetworkBuilder b({1, 16, 16}, 39);
  b.convolution(4, 5, 2, 1).quadratic().flatten().dense(8);
  const auto graph = b.finish();
  auto request = fixed_request();
  request.batch = 100000;
  const auto result = make_plan(graph, request);
  EXPECT_EQ(result.plan.client.blocks, 1u);
  request.batch = 1;
  EXPECT_GT(make_plan(graph, request).plan.client.blocks, 1u);
}

// A gathered input has a ciphertext for every pixel: reading and expanding those takes as long as the
// network. All of the options that the search has time for were such ones.
TEST(Blocks, OneImageOfADenseNetworkIsFewCiphertexts) {
  NetworkBuilder b({1, 20, 20}, 44);
  b.flatten().dense(128).quadratic(0.1f, 0.5f).dense(10);
  auto r = fixed_request();
  r.precision_bits = 8;
  r.batch = 1;
  const auto plan = make_plan(b.finish(), r).plan;
  EXPECT_LE(input_ciphertexts(plan.client), 16u) << to_text(plan);
}

// Different ways to lay a network out often come to the same: each is planned once, so that those that the
// search has time for differ.
TEST(Blocks, NoPackingIsPlannedTwice) {
  NetworkBuilder b({1, 12, 12}, 43);
  b.convolution(4, 5, 2, 2).varied_quadratic().flatten().dense(20).varied_quadratic().dense(5);
  auto r = fixed_request();
  r.packing = Packing::blocks;
  r.batch = 4;
  r.frontier = true;
  const auto options = make_plan(b.finish(), r).options;
  EXPECT_GE(options.size(), 4u);
  for (std::size_t i = 0; i < options.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const auto facts = [](const PackingOption& o) {
        return std::make_tuple(o.blocks, o.n, o.seconds, o.peak_bytes, o.key_bytes, o.input_bytes_per_image);
      };
      EXPECT_NE(facts(options[i]), facts(options[k])) << options[i].what << " and " << options[k].what;
    }
}

TEST(Blocks, TheStandardRingIsRefused) {
  NetworkBuilder b({20}, 40);
  b.dense(12).quadratic().dense(5);
  auto request = in_blocks(16);
  request.ring = ckks::RingType::standard;
  EXPECT_THROW(make_plan(b.finish(), request), Error);
}

}  // namespace

}  // namespace velum::plan::testing
