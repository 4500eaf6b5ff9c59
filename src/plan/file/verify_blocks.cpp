#include "plan/file/verify_blocks.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "plan/file/require.h"
#include "ring/automorphism.h"

namespace velum::plan {

namespace {

// How often each of `count` elements appears in a layout.
std::vector<std::uint32_t> appearances(const Layout& layout, std::size_t count, const char* what) {
  std::vector<std::uint32_t> times(count, 0);
  for (const auto e : layout) {
    if (e == kAbsent) continue;
    require(e < count, "the layout of the {} names element {} of {}", what, e, count);
    ++times[e];
  }
  return times;
}

}  // namespace

void verify_blocks(const ClientPlan& p) {
  const bool power = p.blocks > 0 && (p.blocks & (p.blocks - 1)) == 0;
  require(power && (p.blocks == 1 || std::size_t{p.blocks} * 8 <= p.params.n),
          "{} blocks a ciphertext: expected a power of two, 1 or at most N / 8 = {}", p.blocks,
          p.params.n / 8);
  require(p.blocks == 1 || p.params.ring == ckks::RingType::real,
          "blocks need the real ring, these parameters are of the standard one");
  require(!p.input_order.empty() && p.input_order.size() % p.blocks == 0,
          "the layout of the inputs has {} places, no multiple of {}", p.input_order.size(), p.blocks);
  require(!p.output_order.empty() && p.output_order.size() % p.blocks == 0,
          "the layout of the outputs has {} places, no multiple of {}", p.output_order.size(), p.blocks);
  double elements = 1;
  for (const auto d : p.input_shape) elements *= static_cast<double>(d);
  require(elements <= 1u << 26, "the input shape has {} elements", elements);
  const auto inputs = appearances(p.input_order, static_cast<std::size_t>(elements), "inputs");
  // An element that nothing reads is left out. In blocks one may be in several places: the input can be
  // gathered as the first layer reads it.
  if (p.blocks == 1)
    for (std::size_t k = 0; k < p.input_order.size(); ++k)
      require(p.input_order[k] != kAbsent && inputs[p.input_order[k]] == 1,
              "ciphertext {} is of no input, or another one is of the same", k);
  require(p.outputs <= 1u << 26, "there are {} outputs", p.outputs);  // before memory is taken for them
  const auto outputs = appearances(p.output_order, p.outputs, "outputs");
  for (std::size_t o = 0; o < outputs.size(); ++o)
    require(outputs[o] == 1, "output {} is in {} places, expected one", o, outputs[o]);
}

void verify_rotation(const ServerPlan& plan, const Step& s) {
  const auto& v = plan.values[s.output];
  const auto n = static_cast<std::int64_t>(plan.client.params.n);
  require(plan.client.blocks > 1, "step '{}' rotates, and a ciphertext has one block", s.name);
  require(s.groups.empty() && s.pairs.empty() && s.bias.empty() && s.finish == Finish::none && s.polys == 2,
          "step '{}' is to rotate, and has weights or another finish", s.name);
  std::size_t inputs = 0;
  for (const auto& source : s.sources) {
    const auto& from = plan.values[source.value];
    require(source.kind == SourceKind::plain && source.lift == 1 && from.polys == 2 && from.scale == v.scale,
            "step '{}' rotates '{}': {} polynomials, expected 2 as they are", s.name, from.name, from.polys);
    inputs += source.elements.size();
  }
  require(inputs == v.elements && s.shifts.size() == v.elements,
          "step '{}' rotates {} inputs by {} shifts into {}", s.name, inputs, s.shifts.size(), v.elements);
  const auto& keys = plan.client.keys.rotations;
  const auto slots = ring::slot_count(plan.client.params.ring, plan.client.params.n);
  for (const auto shift : s.shifts) {
    require(shift != 0 && shift > -n && shift < n, "step '{}' rotates by {}", s.name, shift);
    const auto steps = ring::normalised_steps(shift, slots);
    const auto key = std::lower_bound(keys.begin(), keys.end(), steps,
                                      [](const auto& k, std::uint32_t by) { return k.steps < by; });
    require(key != keys.end() && key->steps == steps && key->limbs >= s.limbs,
            "step '{}' rotates by {} at {} limbs, and no key does", s.name, shift, s.limbs);
  }
}

double verify_periodic(const ClientPlan& plan, const Step& s, const Group& g, std::size_t inputs) {
  require(g.periodic_inputs.empty() || plan.blocks > 1,
          "step '{}' has weights by block, and a ciphertext has one", s.name);
  if (g.periodic_inputs.empty()) return 0;
  for (std::size_t i = 0; i < g.periodic_inputs.size(); ++i)
    require(g.periodic_inputs[i] < inputs && (i == 0 || g.periodic_inputs[i] > g.periodic_inputs[i - 1]),
            "step '{}' has a group with wrong inputs by block", s.name);
  const std::uint64_t count = std::uint64_t{g.periodic_inputs.size()} * g.rows * plan.blocks;
  require(g.periodic_offset <= s.periodic.size() && count <= s.periodic.size() - g.periodic_offset,
          "step '{}' has a group whose weights by block are beyond its {}", s.name, s.periodic.size());
  const auto least = *std::min_element(plan.params.moduli.begin(), plan.params.moduli.end());
  const auto* w = s.periodic.data() + g.periodic_offset;
  std::vector<double> row(g.rows, 0);  // |a_0 + 2 sum a_i cos| is 2 sum |a_i| at most
  for (std::uint64_t i = 0; i < count; ++i) {
    require(std::abs(std::int64_t{w[i]}) <
                std::min<std::int64_t>(kLargestPeriodic, static_cast<std::int64_t>(least)),
            "step '{}' has a weight by block of {}", s.name, w[i]);
    row[i / plan.blocks % g.rows] += 2 * std::fabs(static_cast<double>(w[i]));
  }
  return *std::max_element(row.begin(), row.end());
}

}  // namespace velum::plan
