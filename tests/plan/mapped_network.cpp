#include "plan/mapped_network.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace velum::plan::testing {

namespace {

using Values = std::vector<std::vector<double>>;  // [vector][element]

std::vector<double> random_input(std::size_t count) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> d(-1, 1);
  std::vector<double> v(count);
  for (auto& x : v) x = d(random);
  return v;
}

Values run_elements(const Network& net, const std::vector<double>& input) {
  Values values{input};
  for (const auto& stage : net.stages) {
    std::vector<double> out;
    for (std::size_t e = 0; e < stage.rows.size(); ++e) {
      double sum = stage.bias[e];
      const auto support = net.supports[stage.rows[e].support];
      for (std::size_t k = 0; k < support.size(); ++k) {
        const auto& range = net.columns.ranges()[net.columns.index_of(support[k])];
        const double x = values[range.vector][support[k] - range.first];
        sum += static_cast<double>(stage.weights[stage.rows[e].weights + k]) *
               (range.kind == SourceKind::square ? x * x : x);
      }
      out.push_back(sum);
    }
    values.push_back(std::move(out));
  }
  return values;
}

// The blocks of three images, one after the other; the two outer ones hold large values, and are not looked
// at.
constexpr double kGarbage = 1e3;

class BlockRun {
 public:
  BlockRun(const Network& net, const std::vector<double>& input) : net_(net), p_(net.blocks) {
    values_.resize(1);
    const auto& layout = net.vectors[0].layout;
    for (std::size_t t = 0; t < net.vectors[0].elements; ++t)
      for (std::size_t j = 0; j < 3 * p_; ++j) {
        const auto e = layout[t * p_ + j % p_];
        const bool middle = j / p_ == 1;
        values_[0].push_back(e == kAbsent ? 0 : middle ? input[e] : kGarbage);
      }
    for (std::size_t s = 0; s < net.stages.size(); ++s) add(net.stages[s], net.vectors[s + 1]);
  }

  double at(std::size_t vector, std::size_t ciphertext, std::size_t block) const {
    return values_[vector][(ciphertext * 3 + 1) * p_ + block];
  }

 private:
  double read(Column c, std::size_t j) const {
    const auto& range = net_.columns.ranges()[net_.columns.index_of(c)];
    const auto slot = rotated(j, range.shift);
    const double x = values_[range.vector][(c - range.first) * 3 * p_ + slot];
    return range.kind == SourceKind::square ? x * x : x;
  }
  std::size_t rotated(std::size_t j, std::int32_t shift) const {
    const auto slots = static_cast<std::int64_t>(3 * p_);
    return static_cast<std::size_t>(((static_cast<std::int64_t>(j) + shift) % slots + slots) % slots);
  }

  void add(const Stage& stage, const Vector& vector) {
    const std::size_t slots = 3 * p_;
    std::vector<float> weights(p_);
    std::vector<double> sums(stage.rows.size() * slots, 0.0), out(vector.elements * slots, 0.0);
    for (std::size_t r = 0; r < stage.rows.size(); ++r)
      for (std::size_t j = 0; j < slots; ++j) {
        double& sum = sums[r * slots + j];
        const auto scalar = net_.supports[stage.rows[r].support];
        for (std::size_t k = 0; k < scalar.size(); ++k)
          sum += static_cast<double>(stage.weights[stage.rows[r].weights + k]) * read(scalar[k], j);
        const auto periodic = net_.supports[stage.periodic_rows[r].support];
        for (std::size_t k = 0; k < periodic.size(); ++k) {
          stage.periodic.read(stage.periodic_rows[r].weights, k, weights);
          sum += static_cast<double>(weights[j % p_]) * read(periodic[k], j);
        }
      }
    const bool by_block = stage.bias.size() != vector.elements;
    for (std::size_t t = 0; t < vector.elements; ++t)
      for (std::size_t j = 0; j < slots; ++j)
        out[t * slots + j] = by_block ? stage.bias[t * p_ + j % p_] : stage.bias[t];
    for (std::size_t r = 0; r < stage.rows.size(); ++r) {
      const auto partial =
          stage.partials.empty() ? PartialSum{static_cast<std::uint32_t>(r), 0} : stage.partials[r];
      for (std::size_t j = 0; j < slots; ++j)
        out[partial.element * slots + j] += sums[r * slots + rotated(j, partial.shift)];
    }
    values_.push_back(std::move(out));
  }

  const Network& net_;
  std::size_t p_;
  Values values_;  // [vector][ciphertext][three images][P]
};

}  // namespace

double mapped_difference(const Network& net, const std::vector<BlockLayout>& layouts,
                         const GiantSteps& giants, const InputSlices& slices) {
  const auto input = random_input(net.vectors[0].elements);
  const auto expected = run_elements(net, input);
  const auto mapped = map_blocks(net, layouts, giants, ScalarWeights::kept, slices);
  const BlockRun run(mapped, input);
  double worst = 0;
  for (std::size_t v = 0; v < layouts.size(); ++v) {
    double largest = 1e-9;
    for (const double x : expected[v]) largest = std::max(largest, std::fabs(x));
    for (std::size_t e = 0; e < layouts[v].places.size(); ++e)
      for (const auto& place : layouts[v].places[e])
        worst =
            std::max(worst, std::fabs(run.at(v, place.ciphertext, place.block) - expected[v][e]) / largest);
  }
  return worst;
}

double largest_in_unused_blocks(const Network& net) {
  std::size_t most = 0;
  for (const auto e : net.vectors[0].layout) most = e == kAbsent ? most : std::max<std::size_t>(most, e + 1);
  const BlockRun run(net, random_input(most));
  double largest = 0;
  for (std::size_t v = 0; v < net.vectors.size(); ++v) {
    if (net.vectors[v].unused_bound > 0) continue;
    for (std::size_t i = 0; i < net.vectors[v].layout.size(); ++i)
      if (net.vectors[v].layout[i] == kAbsent)
        largest = std::max(largest, std::fabs(run.at(v, i / net.blocks, i % net.blocks)));
  }
  return largest;
}

}  // namespace velum::plan::testing
