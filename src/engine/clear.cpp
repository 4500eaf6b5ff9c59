#include "engine/clear.h"

#include <algorithm>

#include "base/parallel.h"

namespace velum::engine {

namespace {

// Inputs of a step at their integer scale: what the slots hold, as reals.
std::vector<double> step_inputs(const plan::ServerPlan& plan, const plan::Step& step,
                                const std::vector<std::vector<double>>& values) {
  std::vector<double> inputs;
  for (const auto& source : step.sources) {
    const double scale = plan.values[source.value].scale;
    for (const auto e : source.elements) {
      const double x = values[source.value][e] * scale;
      inputs.push_back(source.kind == plan::SourceKind::square ? x * x
                                                               : x * static_cast<double>(source.lift));
    }
  }
  return inputs;
}

void run_group(const plan::Step& step, const plan::Group& group, const std::vector<double>& inputs,
               std::vector<double>& out) {
  const auto* w = step.weights.data() + group.weight_offset;
  for (std::size_t b = 0; b < kernels::row_block_count(group.rows); ++b) {
    const auto [begin, end] = kernels::row_block(group.rows, b);
    for (const auto p : group.pairs) {
      const auto& pair = step.pairs[p];
      const double x = inputs[pair.first], y = pair.second == plan::kAbsent ? 0 : inputs[pair.second];
      for (auto r = begin; r < end; ++r, w += 2) out[group.first_output + r] += w[0] * x + w[1] * y;
    }
  }
}

}  // namespace

std::vector<std::vector<double>> run_clear(const plan::ServerPlan& plan, std::span<const float> image) {
  std::vector<std::vector<double>> values(plan.values.size());
  for (const auto e : plan.client.input_order) values[0].push_back(static_cast<double>(image[e]));
  for (const auto& step : plan.steps) {
    auto& out = values[step.output];
    const auto inputs = step_inputs(plan, step, values);
    if (step.identity) {
      out = inputs;
    } else {
      out.assign(plan.values[step.output].elements, 0);
      for (const auto& group : step.groups) run_group(step, group, inputs, out);
    }
    for (std::size_t o = 0; o < out.size(); ++o)
      out[o] = out[o] / step.affine_scale + (step.bias.empty() ? 0 : step.bias[o]);
  }
  return values;
}

std::vector<double> run_clear_batch(const plan::ServerPlan& plan, std::span<const float> images,
                                    std::size_t count) {
  const std::size_t elements = plan.client.input_order.size(),
                    outputs = plan.values[plan.output_value].elements;
  std::vector<double> all(count * outputs);
  parallel_for(count, [&](std::size_t i, int) {
    const auto values = run_clear(plan, images.subspan(i * elements, elements));
    std::copy(values[plan.output_value].begin(), values[plan.output_value].end(),
              all.begin() + static_cast<std::ptrdiff_t>(i * outputs));
  });
  return all;
}

}  // namespace velum::engine
