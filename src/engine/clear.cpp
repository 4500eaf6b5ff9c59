#include "engine/clear.h"

#include <algorithm>

#include "base/parallel.h"
#include "ckks/core/fft.h"

namespace velum::engine {

namespace {

// Some images side by side: [value][ciphertext][image][block], true values. Weights by block are decoded once
// for all of them.
using Values = std::vector<std::vector<double>>;

// The block values of a plaintext of period P: slots of the real ring of dimension P ("Blocks" in
// docs/design.md).
class BlockWeights {
 public:
  explicit BlockWeights(std::size_t blocks)
      : transform_(blocks), re_(blocks), im_(blocks), weights_(blocks) {}
  const double* decode(const std::int32_t* a) {
    const std::size_t blocks = weights_.size();
    for (std::size_t j = 0; j < blocks; ++j) {
      re_[j] = a[j];
      im_[j] = j == 0 ? 0.0 : -static_cast<double>(a[blocks - j]);  // as Encoder::decode
    }
    transform_.forward(re_.data(), im_.data());
    for (std::size_t j = 0; j < blocks; ++j) weights_[j] = re_[transform_.leaf_of_slot()[j]];
    return weights_.data();
  }

 private:
  ckks::ComplexTransform transform_;
  std::vector<double> re_, im_, weights_;
};

class SideBySide {
 public:
  SideBySide(const plan::ServerPlan& plan, std::span<const float> images, std::size_t count)
      : plan_(plan),
        blocks_(plan.client.blocks),
        count_(count),
        width_(count * blocks_),
        weights_(blocks_),
        values_(plan.values.size()) {
    const std::size_t elements = plan::input_elements(plan.client);
    const auto& order = plan.client.input_order;
    values_[0].assign(order.size() * count, 0);
    for (std::size_t i = 0; i < order.size(); ++i)
      for (std::size_t j = 0; j < count && order[i] != plan::kAbsent; ++j)
        values_[0][i / blocks_ * width_ + j * blocks_ + i % blocks_] =
            static_cast<double>(images[j * elements + order[i]]);
    for (const auto& step : plan.steps) run(step);
  }
  Values take() { return std::move(values_); }

 private:
  void run(const plan::Step& step) {
    auto& out = values_[step.output];
    const auto inputs = inputs_of(step);
    if (step.kind == plan::StepKind::rotation) {
      out = rotated(step, inputs);
    } else if (step.kind == plan::StepKind::squares) {
      out = inputs;
    } else {
      out.assign(plan_.values[step.output].elements * width_, 0);
      for (const auto& group : step.groups) {
        add_pairs(step, group, inputs, out);
        add_periodic(step, group, inputs, out);
      }
    }
    const bool by_block = step.bias.size() == plan_.values[step.output].elements * blocks_;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] /= step.affine_scale;
      if (!step.bias.empty()) out[i] += step.bias[by_block ? i / width_ * blocks_ + i % blocks_ : i / width_];
    }
  }

  // Inputs of a step at their integer scale: what the slots hold, as reals.
  std::vector<double> inputs_of(const plan::Step& step) const {
    std::vector<double> inputs;
    for (const auto& source : step.sources) {
      const double scale = plan_.values[source.value].scale;
      for (const auto e : source.elements)
        for (std::size_t j = 0; j < width_; ++j) {
          const double x = values_[source.value][e * width_ + j] * scale;
          inputs.push_back(source.kind == plan::SourceKind::square ? x * x
                                                                   : x * static_cast<double>(source.lift));
        }
    }
    return inputs;
  }

  // Round within the image, as in a ring that holds one: partial sums on their way through a neighbour's
  // blocks come out as they do among others, and what is read of a neighbour has weights of zero.
  std::vector<double> rotated(const plan::Step& step, const std::vector<double>& inputs) const {
    std::vector<double> out(inputs.size());
    const auto blocks = static_cast<std::int64_t>(blocks_);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto from = (static_cast<std::int64_t>(i % blocks_) + step.shifts[i / width_]) % blocks;
      out[i] = inputs[i - i % blocks_ + static_cast<std::size_t>(from < 0 ? from + blocks : from)];
    }
    return out;
  }

  void add_pairs(const plan::Step& step, const plan::Group& group, const std::vector<double>& inputs,
                 std::vector<double>& out) const {
    const auto* w = step.weights.data() + group.weight_offset;
    for (std::size_t b = 0; b < kernels::row_block_count(group.rows); ++b) {
      const auto [begin, end] = kernels::row_block(group.rows, b);
      for (const auto p : group.pairs) {
        const auto& pair = step.pairs[p];
        const double* x = inputs.data() + pair.first * width_;
        const double* y = pair.second == plan::kAbsent ? nullptr : inputs.data() + pair.second * width_;
        for (auto r = begin; r < end; ++r, w += 2) {
          double* sum = out.data() + (group.first_output + r) * width_;
          for (std::size_t j = 0; j < width_; ++j) sum[j] += w[0] * x[j] + (y ? w[1] * y[j] : 0);
        }
      }
    }
  }

  void add_periodic(const plan::Step& step, const plan::Group& group, const std::vector<double>& inputs,
                    std::vector<double>& out) {
    const auto* coefficients = step.periodic.data() + group.periodic_offset;
    for (const auto input : group.periodic_inputs)
      for (std::size_t r = 0; r < group.rows; ++r, coefficients += blocks_) {
        const double* w = weights_.decode(coefficients);
        const double* x = inputs.data() + input * width_;
        double* sum = out.data() + (group.first_output + r) * width_;
        for (std::size_t j = 0; j < count_; ++j)
          for (std::size_t p = 0; p < blocks_; ++p) sum[j * blocks_ + p] += w[p] * x[j * blocks_ + p];
      }
  }

  const plan::ServerPlan& plan_;
  std::size_t blocks_, count_, width_;
  BlockWeights weights_;
  Values values_;
};

}  // namespace

std::vector<std::vector<double>> run_clear(const plan::ServerPlan& plan, std::span<const float> image) {
  return SideBySide(plan, image, 1).take();
}

std::vector<double> run_clear_batch(const plan::ServerPlan& plan, std::span<const float> images,
                                    std::size_t count) {
  const auto& client = plan.client;
  const std::size_t elements = plan::input_elements(client), blocks = client.blocks;
  const auto together = std::clamp<std::size_t>(count / (2 * static_cast<std::size_t>(threads())), 1, 4);
  std::vector<double> all(count * client.outputs);
  parallel_for((count + together - 1) / together, [&](std::size_t c, int) {
    const std::size_t first = c * together, some = std::min(together, count - first);
    const auto values = SideBySide(plan, images.subspan(first * elements, some * elements), some).take();
    const auto& out = values[plan.output_value];
    for (std::size_t i = 0; i < client.output_order.size(); ++i)
      for (std::size_t j = 0; j < some && client.output_order[i] != plan::kAbsent; ++j)
        all[(first + j) * client.outputs + client.output_order[i]] =
            out[(i / blocks * some + j) * blocks + i % blocks];
  });
  return all;
}

}  // namespace velum::engine
