#include "support/block_plan.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "ckks/core/encoder.h"
#include "plan/file/identity.h"
#include "plan/schedule/peak.h"
#include "ring/automorphism.h"
#include "ring/primes.h"

namespace velum::test {

namespace {

using plan::SourceKind;

constexpr double kWeightScale = 0x1p13;

class Builder {
 public:
  Builder(std::uint32_t blocks, bool biases, unsigned seed)
      : blocks_(blocks), biases_(biases), encoder_(ckks::RingType::real, blocks), random_(seed) {}

  plan::ServerPlan build() {
    parameters();
    plan_.values.push_back(value("input", 2, 4, 0x1p40, 1));
    layout_of_input();
    const auto far = static_cast<std::int32_t>(blocks_ / 2);
    rotation("rotated", 0, {0, 0, 1}, {1, -1, far});
    first();
    second();
    rotation("rotated again", 3, {2, 0, 0, 0, 1}, {-far, 1, -2, far - 1, -1});
    outputs();
    client();
    return std::move(plan_);
  }

 private:
  double uniform(double bound) { return std::uniform_real_distribution<double>(-bound, bound)(random_); }

  static plan::Value value(const char* name, std::uint32_t elements, std::uint32_t limbs, double scale,
                           double bound, std::uint8_t polys = 2) {
    return {.name = name,
            .elements = elements,
            .polys = polys,
            .limbs = limbs,
            .scale = scale,
            .bound = bound,
            .rms = bound / 3,
            .error_rms = 1e-4,
            .row_begin = {0, elements}};
  }

  void parameters() {
    auto& p = plan_.client.params;
    p.n = 1024;
    p.security = ckks::Security::none;
    const auto order = ring::root_order(p.ring, p.n);
    std::vector<ckks::u64> all;
    for (const double target : {0x1p46, 0x1p40, 0x1p36, 0x1p28, 0x1p47, 0x1.1p47}) {
      all.push_back(ring::prime_near(target, order, all));
      (all.size() <= 4 ? p.moduli : p.special).push_back(all.back());
    }
    plan_.client.blocks = blocks_;
  }

  // The second ciphertext has its elements in reverse, and its last block empty.
  void layout_of_input() {
    for (std::uint32_t b = 0; b < blocks_; ++b) plan_.client.input_order.push_back(b);
    for (std::uint32_t b = 0; b + 1 < blocks_; ++b) plan_.client.input_order.push_back(2 * blocks_ - 2 - b);
    plan_.client.input_order.push_back(plan::kAbsent);
    plan_.values[0].layout = plan_.client.input_order;
  }

  void task(const plan::Step& step, std::uint32_t begin, std::uint32_t end) {
    plan_.tasks.push_back({static_cast<std::uint32_t>(&step - plan_.steps.data()), begin, end, {}});
  }

  void rotation(const char* name, std::uint32_t source, std::vector<std::uint32_t> elements,
                std::vector<std::int32_t> shifts) {
    const auto& from = plan_.values[source];
    plan::Step step;
    step.kind = plan::StepKind::rotation;
    step.name = name;
    step.output = static_cast<std::uint32_t>(plan_.values.size());
    step.sources = {{.value = source, .kind = SourceKind::plain, .lift = 1, .elements = std::move(elements)}};
    step.limbs = from.limbs;
    step.shifts = std::move(shifts);
    step.affine_scale = from.scale;
    const auto count = static_cast<std::uint32_t>(step.shifts.size());
    plan_.values.push_back(value(name, count, from.limbs, from.scale, from.bound));
    shifts_.resize(plan_.values.size());
    shifts_.back() = step.shifts;
    plan_.steps.push_back(std::move(step));
    task(plan_.steps.back(), 0, count / 2);
    task(plan_.steps.back(), count / 2, count);
  }

  // The shift that an input of the step came by; 0 for one that was not rotated.
  std::int32_t shift_of(const plan::Step& step, std::uint32_t input) const {
    for (const auto& s : step.sources) {
      if (input < s.elements.size())
        return shifts_[s.value].empty() ? 0 : shifts_[s.value][s.elements[input]];
      input -= static_cast<std::uint32_t>(s.elements.size());
    }
    return 0;
  }

  // Random weights by block of a group's inputs, zero where the block is a neighbour's and where `keep` is
  // not set.
  void periodic(plan::Step& step, plan::Group& g, std::vector<std::uint32_t> inputs, double bound,
                const std::vector<bool>& keep = {}) {
    g.periodic_inputs = std::move(inputs);
    g.periodic_offset = step.periodic.size();
    std::vector<std::int64_t> coefficients(blocks_);
    std::vector<double> w(blocks_);
    for (const auto input : g.periodic_inputs)
      for (std::uint32_t row = 0; row < g.rows; ++row) {
        for (std::uint32_t p = 0; p < blocks_; ++p) {
          const auto from = static_cast<std::int64_t>(p) + shift_of(step, input);
          const bool own = from >= 0 && from < static_cast<std::int64_t>(blocks_);
          const auto at = (g.first_output + row) * blocks_ + p;
          w[p] = own && (keep.empty() || keep[at]) ? uniform(bound) : 0;
        }
        encoder_.encode(coefficients, w, kWeightScale);
        for (const auto c : coefficients) step.periodic.push_back(static_cast<std::int32_t>(c));
      }
  }

  void scalars(plan::Step& step, plan::Group& g, std::vector<std::uint32_t> pairs, double bound) {
    g.pairs = std::move(pairs);
    g.weight_offset = step.weights.size();
    g.run_pairs = 1;
    for (std::size_t i = 0; i < g.pairs.size() * g.rows; ++i)
      for (const bool there : {true, step.pairs[g.pairs[i / g.rows]].second != plan::kAbsent})
        step.weights.push_back(there ? static_cast<std::int16_t>(std::lround(uniform(bound) * kWeightScale))
                                     : 0);
    g.row_l1 = 65535;
  }

  void bias(plan::Step& step, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) step.bias.push_back(biases_ ? uniform(0.25) : 0);
  }

  plan::Step& affine(const char* name, std::uint32_t elements, std::vector<plan::Source> sources,
                     std::uint32_t limbs, std::uint8_t polys, double source_scale, plan::Finish finish,
                     double bound) {
    const bool rescales = finish == plan::Finish::rescale || finish == plan::Finish::relinearise_rescale;
    plan::Step step;
    step.name = name;
    step.output = static_cast<std::uint32_t>(plan_.values.size());
    step.sources = std::move(sources);
    step.limbs = limbs;
    step.polys = polys;
    step.affine_scale = source_scale * kWeightScale;
    step.finish = finish;
    const double q = rescales ? static_cast<double>(plan_.client.params.moduli[limbs - 1]) : 1;
    plan_.values.push_back(value(name, elements, limbs - (rescales ? 1 : 0), step.affine_scale / q, bound,
                                 finish == plan::Finish::none ? polys : 2));
    shifts_.resize(plan_.values.size());
    plan_.steps.push_back(std::move(step));
    return plan_.steps.back();
  }

  // Inputs 0, 1: as they are; 2, 3, 4: rotated. Three groups: pairs and by block, by block alone, pairs
  // alone.
  void first() {
    auto& step = affine("first", 6,
                        {{.value = 0, .kind = SourceKind::plain, .lift = 1, .elements = {0, 1}},
                         {.value = 1, .kind = SourceKind::plain, .lift = 1, .elements = {0, 1, 2}}},
                        4, 2, 0x1p40, plan::Finish::rescale, 4);
    step.pairs = {{0, 1}};
    step.groups.resize(3);
    step.groups[0].rows = 2;
    scalars(step, step.groups[0], {0}, 0.5);
    periodic(step, step.groups[0], {2, 3, 4}, 0.4);
    step.groups[1].first_output = 2, step.groups[1].rows = 3;
    periodic(step, step.groups[1], {0, 1, 2, 4}, 0.4);
    step.groups[2].first_output = 5, step.groups[2].rows = 1;
    scalars(step, step.groups[2], {0}, 0.5);
    bias(step, 6 * blocks_);
    task(step, 0, 1);
    task(step, 1, 3);
  }

  // Squares, and a plain source that is lifted to their scale.
  void second() {
    const double squares = std::pow(plan_.values[2].scale, 2);
    const auto lift = static_cast<std::uint64_t>(std::llround(squares / 0x1p40));
    auto& step = affine("second", 4,
                        {{.value = 2, .kind = SourceKind::square, .lift = 1, .elements = {0, 1, 2, 3, 4, 5}},
                         {.value = 0, .kind = SourceKind::plain, .lift = lift, .elements = {1, 0}}},
                        3, 3, squares, plan::Finish::relinearise_rescale, 10);
    step.pairs = {{0, 1}, {6, plan::kAbsent}};
    step.groups.resize(2);
    step.groups[0].rows = 3;
    scalars(step, step.groups[0], {0, 1}, 0.2);
    periodic(step, step.groups[0], {2, 3, 7}, 0.2);
    step.groups[1].first_output = 3, step.groups[1].rows = 1;
    periodic(step, step.groups[1], {1, 5, 6}, 0.2);
    bias(step, 4);
    task(step, 0, 2);
  }

  // Two outputs, in a few blocks.
  void outputs() {
    auto& step = affine("third", 2,
                        {{.value = 3, .kind = SourceKind::plain, .lift = 1, .elements = {3, 0}},
                         {.value = 4, .kind = SourceKind::plain, .lift = 1, .elements = {0, 1, 2, 3, 4}}},
                        2, 2, plan_.values[3].scale, plan::Finish::none, 40);
    auto& order = plan_.client.output_order;
    order.assign(2 * blocks_, plan::kAbsent);
    order[1] = 2, order[blocks_ - 1] = 0, order[blocks_] = 1;
    std::vector<bool> keep;
    for (const auto o : order) keep.push_back(o != plan::kAbsent);
    step.groups.resize(1);
    step.groups[0].rows = 2;
    periodic(step, step.groups[0], {0, 1, 2, 3, 4, 5, 6}, 0.4, keep);
    for (std::size_t i = 0; i < order.size(); ++i)
      step.bias.push_back(biases_ && keep[i] ? uniform(0.25) : 0);
    plan_.values.back().layout = order;
    task(step, 0, 1);
  }

  void client() {
    auto& c = plan_.client;
    const auto& out = plan_.values.back();
    c.model_name = "blocks";
    c.input_shape = {2 * std::int64_t{blocks_} - 1};
    c.input_low = -1, c.input_high = 1;
    c.input_scale = plan_.values[0].scale;
    c.input_limbs = 4;
    c.outputs = 3;
    c.output_scale = out.scale;
    c.output_limbs = out.limbs;
    c.output_polys = out.polys;
    c.output_bound = out.bound;
    plan_.output_value = static_cast<std::uint32_t>(plan_.values.size() - 1);
    c.keys.relinearise_limbs = 3;
    for (const auto& step : plan_.steps)
      for (const auto shift : step.shifts) {
        const auto steps = ring::normalised_steps(shift, c.params.n);
        auto& keys = c.keys.rotations;
        auto at = std::lower_bound(keys.begin(), keys.end(), steps,
                                   [](const auto& k, auto s) { return k.steps < s; });
        if (at == keys.end() || at->steps != steps) at = keys.insert(at, {steps, 0});
        at->limbs = std::max<std::size_t>(at->limbs, step.limbs);
      }
    plan::state_memory(plan_, 1);
    plan::seal_plan(plan_);
  }

  plan::ServerPlan plan_;
  std::uint32_t blocks_;
  bool biases_;
  ckks::Encoder encoder_;
  std::mt19937 random_;
  std::vector<std::vector<std::int32_t>> shifts_{1};  // [value][ciphertext], where it was made by rotation
};

}  // namespace

plan::ServerPlan block_plan(std::uint32_t blocks, bool biases, unsigned seed) {
  return Builder(blocks, biases, seed).build();
}

std::vector<std::vector<double>> slot_values(const plan::ServerPlan& plan, const std::vector<double>& input) {
  const std::size_t n = plan.client.params.n, blocks = plan.client.blocks;
  std::vector<std::vector<double>> values(plan.values.size());
  values[0] = input;
  const ckks::Encoder encoder(ckks::RingType::real, blocks);
  for (const auto& step : plan.steps) {
    std::vector<const double*> x;
    std::vector<double> scale;
    std::vector<bool> squared;
    for (const auto& s : step.sources)
      for (const auto e : s.elements) {
        x.push_back(values[s.value].data() + e * n);
        squared.push_back(s.kind == SourceKind::square);
        const double from = plan.values[s.value].scale;
        scale.push_back(squared.back() ? from * from : from * static_cast<double>(s.lift));
      }
    auto& out = values[step.output];
    const auto elements = plan.values[step.output].elements;
    out.assign(elements * n, 0);
    for (std::size_t o = 0; o < step.shifts.size(); ++o)
      for (std::size_t j = 0; j < n; ++j)
        out[o * n + j] =
            x[o][(j + n + static_cast<std::size_t>(std::int64_t{step.shifts[o]} + std::int64_t(n))) % n];
    const auto add = [&](std::size_t o, std::size_t i, const std::vector<double>& w) {
      for (std::size_t j = 0; j < n; ++j)
        out[o * n + j] +=
            w[j % w.size()] * scale[i] * (squared[i] ? x[i][j] * x[i][j] : x[i][j]) / step.affine_scale;
    };
    for (const auto& g : step.groups) {
      const auto* w = step.weights.data() + g.weight_offset;
      for (const auto p : g.pairs)
        for (std::uint32_t r = 0; r < g.rows; ++r, w += 2) {
          add(g.first_output + r, step.pairs[p].first, {double(w[0])});
          if (step.pairs[p].second != plan::kAbsent)
            add(g.first_output + r, step.pairs[p].second, {double(w[1])});
        }
      const auto* c = step.periodic.data() + g.periodic_offset;
      std::vector<double> decoded(blocks);
      for (const auto i : g.periodic_inputs)
        for (std::uint32_t r = 0; r < g.rows; ++r, c += blocks) {
          encoder.decode(decoded, std::vector<double>(c, c + blocks), 1);
          add(g.first_output + r, i, decoded);
        }
    }
    for (std::size_t i = 0; i < out.size() && !step.bias.empty(); ++i)
      out[i] += step.bias.size() == elements ? step.bias[i / n] : step.bias[i / n * blocks + i % blocks];
  }
  return values;
}

}  // namespace velum::test
