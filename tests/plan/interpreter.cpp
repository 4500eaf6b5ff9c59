#include "plan/interpreter.h"

#include <cmath>
#include <limits>

namespace velum::plan::testing {

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// What the slots hold of each input of a step: true values times scales and lifts.
std::vector<double> inputs_of(const ServerPlan& plan, const Step& step,
                              const std::vector<std::vector<double>>& values) {
  std::vector<double> inputs;
  for (const auto& source : step.sources)
    for (const auto e : source.elements) {
      const double x = values[source.value][e] * plan.values[source.value].scale;
      inputs.push_back(source.kind == SourceKind::square ? x * x : x * static_cast<double>(source.lift));
    }
  return inputs;
}

void run_group(const Step& step, const Group& g, const std::vector<double>& inputs,
               std::vector<double>& out) {
  std::vector<double> sums(g.rows, 0);
  const std::int16_t* w = step.weights.data() + g.weight_offset;
  for (std::size_t b = 0; b < kernels::row_block_count(g.rows); ++b) {
    const auto rows = kernels::row_block(g.rows, b);
    for (const auto p : g.pairs)
      for (auto r = rows.begin; r < rows.end; ++r, w += 2) {
        if (w[0]) sums[r] += w[0] * inputs[step.pairs[p].first];
        if (w[1]) sums[r] += w[1] * inputs[step.pairs[p].second];
      }
  }
  for (std::size_t r = 0; r < g.rows; ++r) {
    const auto o = g.first_output + r;
    out[o] = sums[r] / step.affine_scale + step.bias[o];
  }
}

std::vector<std::vector<double>> run(const ServerPlan& plan, std::span<const float> image, bool release) {
  std::vector<std::vector<double>> values;
  for (const auto& v : plan.values) values.emplace_back(v.elements, kNothing);
  for (std::size_t k = 0; k < plan.client.input_order.size(); ++k)
    values[0][k] = static_cast<double>(image[plan.client.input_order[k]]);
  for (const auto& task : plan.tasks) {
    const auto& step = plan.steps[task.step];
    const auto inputs = inputs_of(plan, step, values);
    auto& out = values[step.output];
    for (auto g = task.group_begin; g < task.group_end; ++g) {
      if (step.identity)
        out[g] = inputs[g] / step.affine_scale;
      else
        run_group(step, step.groups[g], inputs, out);
    }
    if (!release) continue;
    for (const auto& r : task.releases)
      for (auto row = r.row_begin; row < r.row_end; ++row)
        for (auto e = plan.values[r.value].row_begin[row]; e < plan.values[r.value].row_begin[row + 1]; ++e)
          values[r.value][e] = kNothing;
  }
  return values;
}

}  // namespace

std::vector<double> interpret(const ServerPlan& plan, std::span<const float> image) {
  return run(plan, image, true)[plan.output_value];
}

std::vector<std::vector<double>> interpret_values(const ServerPlan& plan, std::span<const float> image) {
  return run(plan, image, false);
}

}  // namespace velum::plan::testing
