#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "kernels/types.h"
#include "plan/passes.h"
#include "plan/peak.h"

namespace velum::plan {

namespace {

constexpr std::uint64_t kRunLimit = 65535;  // of sum |w| in a run: kernels::DigitGroup

template <typename... Args>
void require(bool holds, fmt::format_string<Args...> format, Args&&... args) {
  if (!holds)
    fail_user("plan: {}; make it again with 'velum plan'", fmt::format(format, std::forward<Args>(args)...));
}

bool positive(double x) {
  return std::isfinite(x) && x > 0;
}

void verify_value(const ServerPlan& plan, std::size_t i) {
  const auto& v = plan.values[i];
  require(v.elements > 0, "value {} has no elements", i);
  require(v.polys == 2 || v.polys == 3, "value {} has {} polynomials, expected 2 or 3", i, v.polys);
  require(v.limbs >= 1 && v.limbs <= plan.client.params.moduli.size(), "value {} has {} limbs of {}", i,
          v.limbs, plan.client.params.moduli.size());
  require(positive(v.scale) && positive(v.bound), "value {} has scale {} and bound {}", i, v.scale, v.bound);
  require(v.row_begin.size() >= 2 && v.row_begin.front() == 0 && v.row_begin.back() == v.elements &&
              std::adjacent_find(v.row_begin.begin(), v.row_begin.end(), std::greater_equal<>()) ==
                  v.row_begin.end(),
          "the rows of value {} do not cut its {} elements", i, v.elements);
}

void verify_sources(const ServerPlan& plan, const Step& s, const std::vector<bool>& made) {
  require(!s.sources.empty(), "step '{}' has no sources", s.name);
  int polys = 2;
  for (const auto& source : s.sources) {
    require(source.value < plan.values.size() && made[source.value],
            "step '{}' reads value {}, which no earlier step makes", s.name, source.value);
    const auto& v = plan.values[source.value];
    require(v.limbs >= s.limbs, "step '{}' works at {} limbs, its source '{}' has {}", s.name, s.limbs,
            v.name, v.limbs);
    require(source.lift >= 1, "step '{}' lifts a source by {}", s.name, source.lift);
    const bool square = source.kind == SourceKind::square;
    require(!square || (v.polys == 2 && source.lift == 1), "step '{}' squares '{}', of {} polynomials",
            s.name, v.name, v.polys);
    if (square || v.polys == 3) polys = 3;
    std::vector<bool> seen(v.elements, false);
    require(!source.elements.empty(), "step '{}' reads no element of '{}'", s.name, v.name);
    for (const auto e : source.elements) {
      require(e < v.elements && !seen[e], "step '{}' reads element {} of '{}' twice, or beyond its {}",
              s.name, e, v.name, v.elements);
      seen[e] = true;
    }
  }
  require(s.polys == polys, "step '{}' has {} polynomials, its sources make {}", s.name, s.polys, polys);
}

void verify_finish(const ServerPlan& plan, const Step& s) {
  const auto& v = plan.values[s.output];
  const bool relinearises = s.finish == Finish::relinearise || s.finish == Finish::relinearise_rescale;
  const bool rescales = s.finish == Finish::rescale || s.finish == Finish::relinearise_rescale;
  require(relinearises == (s.polys == 3 && s.finish != Finish::none),
          "step '{}' does not finish its {} polynomials", s.name, s.polys);
  require(v.polys == (s.finish == Finish::none ? s.polys : 2), "value '{}' has {} polynomials", v.name,
          v.polys);
  require(!relinearises || s.limbs <= plan.client.keys.relinearise_limbs,
          "step '{}' relinearises at {} limbs, the keys reach {}", s.name, s.limbs,
          plan.client.keys.relinearise_limbs);
  require(s.limbs >= (rescales ? 2u : 1u) && v.limbs == s.limbs - (rescales ? 1 : 0),
          "step '{}' at {} limbs makes a value of {}", s.name, s.limbs, v.limbs);
  require(positive(s.affine_scale), "step '{}' has scale {}", s.name, s.affine_scale);
  const double scale = rescales ? s.affine_scale / static_cast<double>(plan.client.params.moduli[s.limbs - 1])
                                : s.affine_scale;
  require(std::fabs(scale / v.scale - 1) < 1e-9, "step '{}' leaves scale {}, its value states {}", s.name,
          scale, v.scale);
  double height = 0;
  for (std::uint32_t l = 0; l < s.limbs; ++l)
    height += std::log2(static_cast<double>(plan.client.params.moduli[l]));
  require(std::log2(s.affine_scale * v.bound) + 1 < height, "the sums of step '{}' overflow its {} limbs",
          s.name, s.limbs);
}

// Largest sum |w| in any row, and in any run of any row.
void verify_weights(const Step& s, const Group& g) {
  const std::size_t pairs = g.pairs.size();
  const auto* w = s.weights.data() + g.weight_offset;
  std::uint64_t most = 0;
  for (std::size_t b = 0; b < kernels::row_block_count(g.rows); ++b) {
    const auto [begin, end] = kernels::row_block(g.rows, b);
    std::vector<std::uint64_t> run(end - begin, 0), row(end - begin, 0);
    for (std::size_t p = 0; p < pairs; ++p) {
      if (p % g.run_pairs == 0) std::fill(run.begin(), run.end(), 0);
      for (std::size_t r = 0; r < end - begin; ++r, w += 2) {
        const auto sum = static_cast<std::uint64_t>(std::abs(int{w[0]}) + std::abs(int{w[1]}));
        row[r] += sum;
        run[r] += sum;
        require(run[r] <= kRunLimit, "step '{}' has a run of weights with sum {}, over {}", s.name, run[r],
                kRunLimit);
      }
    }
    most = std::max(most, *std::max_element(row.begin(), row.end()));
  }
  require(most <= g.row_l1, "step '{}' has a row of weights with sum {}, over the stated {}", s.name, most,
          g.row_l1);
}

void verify_groups(const ServerPlan& plan, const Step& s) {
  std::size_t inputs = 0;
  for (const auto& source : s.sources) inputs += source.elements.size();
  std::vector<bool> paired(inputs, false);
  const auto pair_up = [&](std::uint32_t i) {
    require(i < inputs && !paired[i], "step '{}' pairs input {} twice, or beyond its {}", s.name, i, inputs);
    paired[i] = true;
  };
  for (const auto& p : s.pairs) {
    pair_up(p.first);
    if (p.second != kAbsent) pair_up(p.second);
  }
  const auto outputs = plan.values[s.output].elements;
  require(s.bias.size() == outputs, "step '{}' has {} biases for {} outputs", s.name, s.bias.size(), outputs);
  require(std::all_of(s.bias.begin(), s.bias.end(), [](double b) { return std::isfinite(b); }),
          "step '{}' has a bias that is no number", s.name);
  std::uint64_t next = 0;
  for (const auto& g : s.groups) {
    require(g.first_output == next && g.rows > 0, "the groups of step '{}' leave a gap at output {}", s.name,
            next);
    next += g.rows;
    require(next <= outputs, "step '{}' makes {} outputs of {}", s.name, next, outputs);
    require(!g.pairs.empty() && g.run_pairs > 0 && g.run_pairs <= g.pairs.size(),
            "step '{}' has a group of {} pairs in runs of {}", s.name, g.pairs.size(), g.run_pairs);
    for (std::size_t i = 0; i < g.pairs.size(); ++i)
      require(g.pairs[i] < s.pairs.size() && (i == 0 || g.pairs[i] > g.pairs[i - 1]),
              "step '{}' has a group with wrong pairs", s.name);
    const std::uint64_t count = std::uint64_t{g.rows} * g.pairs.size() * 2;
    require(g.weight_offset <= s.weights.size() && count <= s.weights.size() - g.weight_offset,
            "step '{}' has a group whose weights are beyond its {}", s.name, s.weights.size());
    verify_weights(s, g);
  }
  require(next == outputs, "the groups of step '{}' make {} of {} outputs", s.name, next, outputs);
}

void verify_identity(const ServerPlan& plan, const Step& s) {
  require(s.sources.size() == 1 && s.sources[0].kind == SourceKind::square && s.finish == Finish::relinearise,
          "step '{}' is to square and relinearise, and has other sources or another finish", s.name);
  require(s.sources[0].elements.size() == plan.values[s.output].elements && s.groups.empty() &&
              s.pairs.empty() && s.bias.empty(),
          "step '{}' squares {} elements into {}", s.name, s.sources[0].elements.size(),
          plan.values[s.output].elements);
}

void verify_tasks(const ServerPlan& plan) {
  std::vector<std::vector<bool>> done;
  for (const auto& s : plan.steps)
    done.emplace_back(s.identity ? plan.values[s.output].elements : s.groups.size(), false);
  for (const auto& t : plan.tasks) {
    require(t.step < plan.steps.size(), "a task names step {} of {}", t.step, plan.steps.size());
    auto& units = done[t.step];
    require(t.group_begin < t.group_end && t.group_end <= units.size(),
            "a task of step '{}' covers groups {} to {} of {}", plan.steps[t.step].name, t.group_begin,
            t.group_end, units.size());
    for (auto g = t.group_begin; g < t.group_end; ++g) {
      require(!units[g], "two tasks cover group {} of step '{}'", g, plan.steps[t.step].name);
      units[g] = true;
    }
    for (const auto& r : t.releases)
      require(r.value < plan.values.size() && r.row_begin < r.row_end &&
                  r.row_end < plan.values[r.value].row_begin.size() && r.value != plan.output_value,
              "a task releases rows {} to {} of value {}", r.row_begin, r.row_end, r.value);
  }
  for (std::size_t s = 0; s < done.size(); ++s)
    require(std::all_of(done[s].begin(), done[s].end(), [](bool d) { return d; }),
            "no task covers some groups of step '{}'", plan.steps[s].name);
}

}  // namespace

void verify_client_plan(const ClientPlan& p, const std::string& what) {
  try {
    const ckks::Parameters params(p.params);  // throws where they are not sound
    const auto& moduli = p.params.moduli;
    require(p.input_limbs == moduli.size(), "inputs have {} limbs of {}", p.input_limbs, moduli.size());
    require(p.keys.relinearise_limbs <= moduli.size() &&
                (p.keys.relinearise_limbs == 0) == p.params.special.empty(),
            "keys reach {} limbs of {}, with {} special primes", p.keys.relinearise_limbs, moduli.size(),
            p.params.special.size());
    require(!p.input_shape.empty() && std::all_of(p.input_shape.begin(), p.input_shape.end(),
                                                  [](auto d) { return d > 0 && d < (1 << 26); }),
            "the input shape is {}", model::to_string(p.input_shape));
    double elements = 1;
    for (const auto d : p.input_shape) elements *= static_cast<double>(d);
    require(elements == static_cast<double>(p.input_order.size()), "{} inputs are ordered, the shape has {}",
            p.input_order.size(), elements);
    std::vector<bool> seen(p.input_order.size(), false);
    for (const auto e : p.input_order) {
      require(e < seen.size() && !seen[e], "input {} appears twice, or is beyond {}", e, seen.size());
      seen[e] = true;
    }
    require(std::isfinite(p.input_low) && std::isfinite(p.input_high) && p.input_low <= p.input_high,
            "inputs range from {} to {}", p.input_low, p.input_high);
    require(positive(p.input_scale) && p.input_scale < 0x1p62, "the input scale is {}", p.input_scale);
    require(std::max(std::fabs(p.input_low), std::fabs(p.input_high)) * p.input_scale < 0x1p61,
            "inputs overflow at scale {}", p.input_scale);
    require(p.outputs > 0 && p.outputs <= 1u << 26, "there are {} outputs", p.outputs);
    require(positive(p.output_scale) && positive(p.output_bound), "the output's scale is {}, its bound {}",
            p.output_scale, p.output_bound);
    require(p.output_limbs >= 1 && p.output_limbs <= moduli.size() &&
                (p.output_polys == 2 || p.output_polys == 3),
            "outputs have {} limbs and {} polynomials", p.output_limbs, p.output_polys);
  } catch (const Error& e) {
    throw e.within(what);
  }
}

void verify_plan(const ServerPlan& p) {
  verify_client_plan(p.client, "client half");
  require(!p.values.empty() && !p.steps.empty() && p.values.size() == p.steps.size() + 1,
          "{} values and {} steps", p.values.size(), p.steps.size());
  for (std::size_t i = 0; i < p.values.size(); ++i) verify_value(p, i);
  const auto& c = p.client;
  const auto& input = p.values[0];
  require(input.elements == c.input_order.size() && input.limbs == c.input_limbs && input.polys == 2 &&
              input.scale == c.input_scale,
          "the input value is not what the client half says");
  require(p.output_value < p.values.size() && p.output_value != 0, "output value {} of {}", p.output_value,
          p.values.size());
  const auto& output = p.values[p.output_value];
  require(output.elements == c.outputs && output.limbs == c.output_limbs && output.polys == c.output_polys &&
              output.scale == c.output_scale,
          "the output value is not what the client half says");
  std::vector<bool> made(p.values.size(), false);
  made[0] = true;
  for (const auto& s : p.steps) {
    require(s.output < p.values.size() && !made[s.output], "step '{}' makes value {} a second time", s.name,
            s.output);
    require(s.limbs >= 1 && s.limbs <= c.params.moduli.size(), "step '{}' works at {} limbs of {}", s.name,
            s.limbs, c.params.moduli.size());
    verify_sources(p, s, made);
    verify_finish(p, s);
    if (s.identity)
      verify_identity(p, s);
    else
      verify_groups(p, s);
    made[s.output] = true;
  }
  verify_tasks(p);
  follow_schedule(p);
}

}  // namespace velum::plan
