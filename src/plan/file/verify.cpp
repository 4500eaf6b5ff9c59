#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "kernels/types.h"
#include "model/shape.h"
#include "plan/file/require.h"
#include "plan/file/verify_blocks.h"
#include "plan/file/verify_schedule.h"
#include "plan/files.h"
#include "plan/schedule/peak.h"
#include "plan/schedule/stream.h"

namespace velum::plan {

namespace {

constexpr std::uint64_t kRunLimit = 65535;  // of sum |w| in a run: kernels::DigitGroup
constexpr std::uint32_t kMostElements = 1u << 26;
constexpr std::uint64_t kMostElementsInAll = 1u << 28;  // each has a bit of memory while it is followed

// log2 of the product of the lowest moduli.
double height_of(const ClientPlan& plan, std::uint32_t limbs) {
  return ckks::log2_product(std::span(plan.params.moduli).first(limbs));
}

// Whether values up to `bound` at this scale, of either sign, fit so many moduli.
bool fits(const ClientPlan& plan, double scale, double bound, std::uint32_t limbs) {
  return std::log2(scale) + std::log2(bound) + 1 < height_of(plan, limbs);
}

void verify_value(const ServerPlan& plan, std::size_t i) {
  const auto& v = plan.values[i];
  require(v.elements > 0 && v.elements <= kMostElements, "value {} has {} elements, expected 1 to {}", i,
          v.elements, kMostElements);
  require(v.polys == 2 || v.polys == 3, "value {} has {} polynomials, expected 2 or 3", i, v.polys);
  require(v.limbs >= 1 && v.limbs <= plan.client.params.moduli.size(), "value {} has {} limbs of {}", i,
          v.limbs, plan.client.params.moduli.size());
  require(positive(v.scale) && positive(v.bound), "value {} has scale {} and bound {}", i, v.scale, v.bound);
  require(fits(plan.client, v.scale, v.bound, v.limbs), "value {} overflows its {} limbs", i, v.limbs);
  require(not_negative(v.rms) && not_negative(v.error_rms),
          "value {} has a typical size of {} and an error of {}", i, v.rms, v.error_rms);
  require(v.layout.empty() || v.layout.size() == std::uint64_t{v.elements} * plan.client.blocks,
          "value {} has a layout of {} places for {} ciphertexts of {} blocks", i, v.layout.size(),
          v.elements, plan.client.blocks);
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
    require(
        source.lift >= 1 && fits(plan.client, v.scale * static_cast<double>(source.lift), v.bound, s.limbs),
        "step '{}' lifts '{}' by {}, beyond its {} limbs", s.name, v.name, source.lift, s.limbs);
    require(source.kind <= SourceKind::square, "step '{}' has a source of kind {}", s.name,
            static_cast<int>(source.kind));
    const bool square = source.kind == SourceKind::square;
    require(!square || (v.polys == 2 && source.lift == 1), "step '{}' squares '{}', of {} polynomials",
            s.name, v.name, v.polys);
    if (square || v.polys == 3) polys = 3;
    std::vector<bool> seen(v.elements, false);
    require(!source.elements.empty(), "step '{}' reads no element of '{}'", s.name, v.name);
    for (const auto e : source.elements) {
      require(e < v.elements && (!seen[e] || s.kind == StepKind::rotation),
              "step '{}' reads element {} of '{}' twice, or beyond its {}", s.name, e, v.name, v.elements);
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
  require(fits(plan.client, s.affine_scale, v.bound, s.limbs), "the sums of step '{}' overflow its {} limbs",
          s.name, s.limbs);
}

// Sums of |w| in any row, and in any run of any row. Returns the largest of a row.
std::uint64_t verify_weights(const Step& s, const Group& g) {
  const std::size_t pairs = g.pairs.size();
  const auto* w = s.weights.data() + g.weight_offset;
  std::uint64_t most = 0;
  for (std::size_t b = 0; b < kernels::row_block_count(g.rows); ++b) {
    const auto [begin, end] = kernels::row_block(g.rows, b);
    std::vector<std::uint64_t> run(end - begin, 0), row(end - begin, 0);
    for (std::size_t p = 0; p < pairs; ++p) {
      if (p % g.run_pairs == 0) std::fill(run.begin(), run.end(), 0);
      const bool alone = s.pairs[g.pairs[p]].second == kAbsent;
      for (std::size_t r = 0; r < end - begin; ++r, w += 2) {
        const auto sum =
            static_cast<std::uint64_t>(std::abs(int{w[0]})) + static_cast<std::uint64_t>(std::abs(int{w[1]}));
        row[r] += sum;
        run[r] += sum;
        require(run[r] <= kRunLimit, "step '{}' has a run of weights with sum {}, over {}", s.name, run[r],
                kRunLimit);
        require(!alone || w[1] == 0, "step '{}' has a weight of {} on an input that is absent", s.name, w[1]);
      }
    }
    most = std::max(most, *std::max_element(row.begin(), row.end()));
  }
  require(most <= g.row_l1, "step '{}' has a row of weights with sum {}, over the stated {}", s.name, most,
          g.row_l1);
  return most;
}

// The largest integer that an element of the step's sources stands for, lifted or squared.
double largest_input(const ServerPlan& plan, const Step& s) {
  double most = 0;
  for (const auto& source : s.sources) {
    const auto& v = plan.values[source.value];
    const double x = v.scale * v.bound;
    most = std::max(most, source.kind == SourceKind::square ? x * x : x * static_cast<double>(source.lift));
  }
  return most;
}

// A bias that the outputs' bound leaves no room for, whatever the inputs are, is none: its sums wrap around.
void verify_bias(const ServerPlan& plan, const Step& s, const Group& g, double weights, double input) {
  const auto& v = plan.values[s.output];
  const double room = 2 * (v.bound * s.affine_scale + weights * input);
  const std::size_t each = s.bias.size() / v.elements;
  for (std::size_t b = g.first_output * each; b < (g.first_output + g.rows) * each; ++b)
    require(std::isfinite(s.bias[b]) && std::fabs(s.bias[b]) * s.affine_scale <= room,
            "step '{}' has a bias of {}, more than its bound of {} leaves room for", s.name, s.bias[b],
            v.bound);
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
  require(s.bias.size() == outputs || s.bias.size() == std::size_t{outputs} * plan.client.blocks,
          "step '{}' has {} biases for {} outputs", s.name, s.bias.size(), outputs);
  const double input = largest_input(plan, s);
  std::uint64_t next = 0;
  for (const auto& g : s.groups) {
    require(g.first_output == next && g.rows > 0, "the groups of step '{}' leave a gap at output {}", s.name,
            next);
    next += g.rows;
    require(next <= outputs, "step '{}' makes {} outputs of {}", s.name, next, outputs);
    require(g.pairs.empty() ? !g.periodic_inputs.empty() && g.run_pairs == 0
                            : g.run_pairs > 0 && g.run_pairs <= g.pairs.size(),
            "step '{}' has a group of {} pairs in runs of {}", s.name, g.pairs.size(), g.run_pairs);
    for (std::size_t i = 0; i < g.pairs.size(); ++i)
      require(g.pairs[i] < s.pairs.size() && (i == 0 || g.pairs[i] > g.pairs[i - 1]),
              "step '{}' has a group with wrong pairs", s.name);
    const std::uint64_t count = std::uint64_t{g.rows} * g.pairs.size() * 2;
    require(g.weight_offset <= s.weights.size() && count <= s.weights.size() - g.weight_offset,
            "step '{}' has a group whose weights are beyond its {}", s.name, s.weights.size());
    const auto by_pair = verify_weights(s, g);
    const double by_block = verify_periodic(plan.client, s, g, inputs);
    verify_bias(plan, s, g, static_cast<double>(by_pair) + by_block, input);
  }
  require(next == outputs, "the groups of step '{}' make {} of {} outputs", s.name, next, outputs);
}

void verify_squares(const ServerPlan& plan, const Step& s) {
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
    done.emplace_back(elementwise(s) ? plan.values[s.output].elements : s.groups.size(), false);
  for (const auto& t : plan.tasks) {
    require(t.step < plan.steps.size(), "a task names step {} of {}", t.step, plan.steps.size());
    require(!plan.steps[t.step].streamed, "a task is of step '{}', which is streamed",
            plan.steps[t.step].name);
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
  for (std::uint32_t s = 0; s < done.size(); ++s)
    require(plan.steps[s].streamed ? possible_reader(plan, s) != kAbsent
                                   : std::all_of(done[s].begin(), done[s].end(), [](bool d) { return d; }),
            "no task covers some groups of step '{}', or it cannot be streamed", plan.steps[s].name);
}

}  // namespace

void verify_client_plan(const ClientPlan& p, const std::string& what) {
  try {
    const ckks::Parameters params(p.params);  // throws where they are not sound
    const auto& moduli = p.params.moduli;
    require(p.input_limbs == moduli.size(), "inputs have {} limbs of {}", p.input_limbs, moduli.size());
    ckks::check_key_list(p.keys, params, "key list");
    require(p.keys.empty() == p.params.special.empty(),
            "keys for {} limbs and {} rotations, with {} special primes", p.keys.relinearise_limbs,
            p.keys.rotations.size(), p.params.special.size());
    require(!p.input_shape.empty() && std::all_of(p.input_shape.begin(), p.input_shape.end(),
                                                  [](auto d) { return d > 0 && d < (1 << 26); }),
            "the input shape is {}", model::to_string(p.input_shape));
    verify_blocks(p);
    require(std::isfinite(p.input_low) && std::isfinite(p.input_high) && p.input_low <= p.input_high,
            "inputs range from {} to {}", p.input_low, p.input_high);
    require(positive(p.input_scale) && p.input_scale < 0x1p62, "the input scale is {}", p.input_scale);
    const double largest = std::max(std::fabs(p.input_low), std::fabs(p.input_high));
    // As encryption asks for: two bits of room.
    require(largest * p.input_scale < 0x1p61 &&
                (largest == 0 || fits(p, p.input_scale, 2 * largest, p.input_limbs)),
            "inputs overflow at scale {}", p.input_scale);
    require(p.outputs > 0 && p.outputs <= 1u << 26, "there are {} outputs", p.outputs);
    require(positive(p.output_scale) && positive(p.output_bound), "the output's scale is {}, its bound {}",
            p.output_scale, p.output_bound);
    require(p.output_limbs >= 1 && p.output_limbs <= moduli.size() &&
                (p.output_polys == 2 || p.output_polys == 3),
            "outputs have {} limbs and {} polynomials", p.output_limbs, p.output_polys);
    require(fits(p, p.output_scale, p.output_bound, p.output_limbs),
            "outputs up to {} at scale {} overflow their {} limbs", p.output_bound, p.output_scale,
            p.output_limbs);
  } catch (const Error& e) {
    throw e.within(what);
  }
}

void verify_plan(const ServerPlan& p) {
  verify_client_plan(p.client, "client half");
  require(!p.values.empty() && !p.steps.empty() && p.values.size() == p.steps.size() + 1,
          "{} values and {} steps", p.values.size(), p.steps.size());
  std::uint64_t elements = 0;
  for (std::size_t i = 0; i < p.values.size(); ++i) {
    verify_value(p, i);
    elements += p.values[i].elements;
  }
  require(elements <= kMostElementsInAll, "its values have {} elements, expected {} at most", elements,
          kMostElementsInAll);
  const auto& c = p.client;
  const auto& input = p.values[0];
  require(input.elements == input_ciphertexts(c) && input.limbs == c.input_limbs && input.polys == 2 &&
              input.scale == c.input_scale,
          "the input value is not what the client half says");
  require(p.output_value < p.values.size() && p.output_value != 0, "output value {} of {}", p.output_value,
          p.values.size());
  const auto& output = p.values[p.output_value];
  require(output.elements == output_ciphertexts(c) && output.limbs == c.output_limbs &&
              output.polys == c.output_polys && output.scale == c.output_scale &&
              output.bound == c.output_bound,
          "the output value is not what the client half says");
  std::vector<bool> made(p.values.size(), false);
  made[0] = true;
  for (const auto& s : p.steps) {
    require(s.output < p.values.size() && !made[s.output], "step '{}' makes value {} a second time", s.name,
            s.output);
    require(s.kind <= StepKind::rotation && s.finish <= Finish::relinearise_rescale,
            "step '{}' is of kind {} with finish {}", s.name, static_cast<int>(s.kind),
            static_cast<int>(s.finish));
    require(not_negative(s.cost.seconds), "step '{}' takes {} seconds", s.name, s.cost.seconds);
    require(s.limbs >= 1 && s.limbs <= c.params.moduli.size(), "step '{}' works at {} limbs of {}", s.name,
            s.limbs, c.params.moduli.size());
    verify_sources(p, s, made);
    verify_finish(p, s);
    if (s.kind == StepKind::rotation)
      verify_rotation(p, s);
    else if (s.kind == StepKind::squares)
      verify_squares(p, s);
    else
      verify_groups(p, s);
    made[s.output] = true;
  }
  verify_tasks(p);
  verify_reads(p);
  verify_memory(p);
}

}  // namespace velum::plan
