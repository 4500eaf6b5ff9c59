#include "plan/interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "plan/schedule/stream.h"

namespace velum::plan::testing {

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// Values are [ciphertext][block] here.
class Interpreter {
 public:
  Interpreter(const ServerPlan& plan, std::span<const float> image)
      : plan_(plan), blocks_(plan.client.blocks) {
    for (const auto& v : plan.values) values_.emplace_back(v.elements * blocks_, kNothing);
    const auto& order = plan.client.input_order;
    for (std::size_t k = 0; k < order.size(); ++k)
      values_[0][k] = order[k] == kAbsent ? 0 : static_cast<double>(image[order[k]]);
  }

  std::vector<std::vector<double>> run(bool release) {
    for (const auto& task : plan_.tasks) {
      if (const auto source = streamed_source(plan_, task.step); source != kAbsent)
        run_groups(plan_.steps[source], 0, static_cast<std::uint32_t>(plan_.steps[source].groups.size()));
      run_groups(plan_.steps[task.step], task.group_begin, task.group_end);
      if (!release) continue;
      for (const auto& r : task.releases)
        for (auto row = r.row_begin; row < r.row_end; ++row)
          for (auto e = plan_.values[r.value].row_begin[row]; e < plan_.values[r.value].row_begin[row + 1];
               ++e)
            std::fill_n(values_[r.value].begin() + static_cast<std::ptrdiff_t>(e * blocks_), blocks_,
                        kNothing);
    }
    return std::move(values_);
  }

 private:
  void run_groups(const Step& step, std::uint32_t begin, std::uint32_t end) {
    const auto inputs = inputs_of(step);
    auto& out = values_[step.output];
    for (auto g = begin; g < end; ++g) {
      if (step.kind == StepKind::rotation)
        rotate(step, g, out);
      else if (step.kind == StepKind::squares)
        for (std::size_t p = 0; p < blocks_; ++p)
          out[g * blocks_ + p] = inputs[g * blocks_ + p] / step.affine_scale;
      else
        run_group(step, step.groups[g], inputs, out);
    }
  }

  // What the slots hold of each input of a step: true values times scales and lifts.
  std::vector<double> inputs_of(const Step& step) const {
    std::vector<double> inputs;
    for (const auto& source : step.sources)
      for (const auto e : source.elements)
        for (std::size_t p = 0; p < blocks_; ++p) {
          const double x = values_[source.value][e * blocks_ + p] * plan_.values[source.value].scale;
          inputs.push_back(source.kind == SourceKind::square ? x * x : x * static_cast<double>(source.lift));
        }
    return inputs;
  }

  void rotate(const Step& step, std::uint32_t o, std::vector<double>& out) const {
    std::size_t source = 0, element = o;
    while (element >= step.sources[source].elements.size()) element -= step.sources[source++].elements.size();
    const auto value = step.sources[source].value, from = step.sources[source].elements[element];
    const auto blocks = static_cast<std::int64_t>(blocks_);
    for (std::size_t p = 0; p < blocks_; ++p) {
      const auto block = ((static_cast<std::int64_t>(p) + step.shifts[o]) % blocks + blocks) % blocks;
      out[o * blocks_ + p] = values_[value][from * blocks_ + static_cast<std::size_t>(block)];
    }
  }

  void run_group(const Step& step, const Group& g, const std::vector<double>& inputs,
                 std::vector<double>& out) const {
    std::vector<double> sums(g.rows * blocks_, 0);
    const std::int16_t* w = step.weights.data() + g.weight_offset;
    for (std::size_t b = 0; b < kernels::row_block_count(g.rows); ++b) {
      const auto rows = kernels::row_block(g.rows, b);
      for (const auto pair : g.pairs)
        for (auto r = rows.begin; r < rows.end; ++r, w += 2)
          for (std::size_t p = 0; p < blocks_; ++p) {
            if (w[0]) sums[r * blocks_ + p] += w[0] * inputs[step.pairs[pair].first * blocks_ + p];
            if (w[1]) sums[r * blocks_ + p] += w[1] * inputs[step.pairs[pair].second * blocks_ + p];
          }
    }
    const std::int32_t* a = step.periodic.data() + g.periodic_offset;
    for (const auto input : g.periodic_inputs)
      for (std::size_t r = 0; r < g.rows; ++r, a += blocks_)
        for (std::size_t p = 0; p < blocks_; ++p)
          sums[r * blocks_ + p] += block_weight(a, p) * inputs[input * blocks_ + p];
    const bool by_block = step.bias.size() == plan_.values[step.output].elements * blocks_;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto at = g.first_output * blocks_ + i;
      out[at] = sums[i] / step.affine_scale + step.bias[by_block ? at : at / blocks_];
    }
  }

  // The value in block p of a plaintext of period P: sum a_k (Y^k + Y^-k) at Y = exp(2 pi i 5^p / 4 P).
  double block_weight(const std::int32_t* a, std::size_t p) const {
    std::size_t power = 1;
    for (std::size_t i = 0; i < p; ++i) power = power * 5 % (4 * blocks_);
    double sum = a[0];
    for (std::size_t k = 1; k < blocks_; ++k)
      if (a[k])
        sum += 2 * a[k] *
               std::cos(2 * std::numbers::pi * static_cast<double>(power * k % (4 * blocks_)) /
                        static_cast<double>(4 * blocks_));
    return sum;
  }

  const ServerPlan& plan_;
  std::size_t blocks_;
  std::vector<std::vector<double>> values_;
};

std::vector<std::vector<double>> run(const ServerPlan& plan, std::span<const float> image, bool release) {
  return Interpreter(plan, image).run(release);
}

}  // namespace

std::vector<double> interpret(const ServerPlan& plan, std::span<const float> image) {
  const auto value = run(plan, image, true)[plan.output_value];
  const auto& order = plan.client.output_order;
  std::vector<double> outputs(plan.client.outputs, kNothing);
  for (std::size_t i = 0; i < order.size(); ++i)
    if (order[i] != kAbsent) outputs[order[i]] = value[i];
  return outputs;
}

std::vector<std::vector<double>> interpret_values(const ServerPlan& plan, std::span<const float> image) {
  return run(plan, image, false);
}

}  // namespace velum::plan::testing
