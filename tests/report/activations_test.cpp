#include "report/activations.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/parallel.h"
#include "support/graphs.h"

namespace velum::report {
namespace {

// x -> x (as two elements) -> a x^2 + b x + c by element -> sum
model::Graph by_hand() {
  test::GraphBuilder builder({2});
  auto x = builder.node(builder.input(), model::Quadratic{{{2}, {1, 2}}, {{2}, {0, -1}}, {{}, {0.5}}});
  x = builder.node(x, model::Dense{1, {1, 1}, {}});
  return builder.finish(x);
}

TEST(Activations, RangesAndCurvesByHand) {
  auto g = by_hand();
  g.ranges[g.input] = {-9, 9, 3};
  const std::vector<float> images = {1, 2, -3, 0};  // two images
  const auto found = observe_activations(g, images, 2, 4);
  ASSERT_EQ(found.size(), 1u);
  const auto& a = found[0];
  EXPECT_FALSE(a.relu);
  EXPECT_EQ(a.elements, 2u);
  EXPECT_EQ(a.input.low, -3);
  EXPECT_EQ(a.input.high, 2);
  EXPECT_NEAR(a.input.rms, std::sqrt((1 + 4 + 9 + 0) / 4.0), 1e-12);
  // Outputs: 1.5, 8 - 2 + 0.5; 9.5, 0.5.
  EXPECT_EQ(a.output.low, 0.5);
  EXPECT_EQ(a.output.high, 9.5);
  ASSERT_TRUE(a.planned);
  EXPECT_EQ(a.planned->low, -9);
  ASSERT_EQ(a.units.size(), 2u);
  EXPECT_EQ(a.units[0].low, -3);
  EXPECT_EQ(a.units[0].high, 1);
  EXPECT_EQ(a.units[1].high, 2);
  EXPECT_EQ(a.units[1].curve.a, 2);
  EXPECT_EQ(a.units[1].curve.b, -1);
  EXPECT_EQ(a.units[1].curve.c, 0.5);
}

TEST(Activations, TeacherAndStartStandBesideTheirLayers) {
  auto g = by_hand();
  const std::vector<float> images = {1, 2, -3, 0};
  auto found = observe_activations(g, images, 2, 1);
  test::GraphBuilder builder({2});
  auto x = builder.node(builder.input(), model::Relu{});
  const auto relu = builder.finish(builder.dense(x, 2, 1));
  const auto teacher = observe_activations(relu, images, 2, 1);
  ASSERT_EQ(teacher.size(), 1u);
  EXPECT_TRUE(teacher[0].relu);
  EXPECT_TRUE(teacher[0].units.empty());
  EXPECT_EQ(teacher[0].output.low, 0);
  add_teacher_ranges(found, teacher);
  ASSERT_TRUE(found[0].teacher);
  EXPECT_EQ(found[0].teacher->low, -3);

  auto start = g;
  for (auto& node : start.nodes)
    if (auto* q = std::get_if<model::Quadratic>(&node.op)) q->c = {{}, {7}};
  add_start_curves(found, start);
  ASSERT_TRUE(found[0].units[0].start);
  EXPECT_EQ(found[0].units[0].start->c, 7);

  // Another number of activations: no telling which belongs to which.
  auto alone = observe_activations(g, images, 2, 1);
  add_teacher_ranges(alone, {});
  EXPECT_FALSE(alone[0].teacher);
}

TEST(Activations, DoNotDependOnThreads) {
  test::GraphBuilder builder({1, 6, 6});
  auto x = builder.convolution(builder.input(), test::same_padded(3), 1);
  x = builder.quadratic(x, {3, 6, 6});
  x = builder.flatten(x, 108);
  const auto g = builder.finish(builder.dense(x, 108, 2));
  std::vector<float> images(36 * 50);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 37 % 101) / 101;
  const auto with = [&](int threads) {
    use_threads(threads);
    auto found = observe_activations(g, images, 50, 4);
    use_threads(0);
    return found;
  };
  const auto one = with(1), three = with(3);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].units.size(), 4u);
  EXPECT_EQ(one[0].input.rms, three[0].input.rms);
  EXPECT_EQ(one[0].output.high, three[0].output.high);
  EXPECT_EQ(one[0].units[3].low, three[0].units[3].low);
}

}  // namespace
}  // namespace velum::report
