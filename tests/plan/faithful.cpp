#include "plan/faithful.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plan/interpreter.h"

namespace velum::plan::testing {

// Largest difference over the output bound, of some random images.
double worst_difference(NetworkBuilder& b, const model::Graph& g, const ServerPlan& plan) {
  const std::size_t count = 8, elements = static_cast<std::size_t>(model::element_count(g.input_shape));
  const auto images = b.images(count);
  const auto clear = model::execute(g, images, count);
  const std::size_t outputs = clear.size() / count;
  double worst = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto got = interpret(plan, std::span(images).subspan(i * elements, elements));
    EXPECT_EQ(got.size(), outputs);
    for (std::size_t o = 0; o < outputs; ++o) {
      EXPECT_FALSE(std::isnan(got[o])) << "output " << o;
      worst = std::max(worst, std::fabs(got[o] - clear[i * outputs + o]));
    }
  }
  return worst / plan.client.output_bound;
}

namespace {

// Every element of every value is what its meaning says, by the clear network's own tensors: weight rounding
// alone is left, as small as the plan predicts.
void expect_meanings(NetworkBuilder& b, const model::Graph& g, const PlanResult& result) {
  const auto& values = result.plan.values;
  ASSERT_EQ(result.meanings.size(), values.size());
  const auto image = b.images(1);
  std::map<std::string, std::vector<double>> tensors{{g.input, {image.begin(), image.end()}}};
  model::execute_observed(g, image, [&](const model::Node& node, std::span<const double> x) {
    tensors[node.output].assign(x.begin(), x.end());
  });
  const auto got = interpret_values(result.plan, image);
  for (std::size_t v = 0; v < values.size(); ++v) {
    const auto expected = expected_elements(
        result.meanings[v],
        [&](const std::string& name) -> std::span<const double> { return tensors.at(name); });
    if (result.meanings[v].terms.empty()) continue;  // rotated copies and partial sums
    const auto& layout = values[v].layout;
    if (layout.empty()) {
      ASSERT_EQ(expected.size(), values[v].elements) << values[v].name;
    }
    for (std::size_t k = 0; k < got[v].size(); ++k) {
      const auto e = layout.empty() ? k : layout[k];
      if (e == kAbsent) continue;
      ASSERT_NEAR(got[v][k], expected[e], 8 * values[v].error_rms) << values[v].name << ", element " << e;
    }
  }
}

}  // namespace

void expect_faithful(NetworkBuilder& b, const Request& request) {
  const auto g = b.finish();
  const auto result = make_plan(g, request);
  const auto& out = result.plan.values[result.plan.output_value];
  EXPECT_LE(worst_difference(b, g, result.plan), 8 * out.error_rms / out.bound) << to_text(result.plan);
  expect_meanings(b, g, result);
}

}  // namespace velum::plan::testing
