#include "engine/prepared_step.h"

#include <cmath>

#include "engine/run_weights.h"
#include "plan/schedule/parts.h"

namespace velum::engine {

u64 round_to_residue(double x, const kernels::Modulus& m) {
  int exponent = 0;
  const double rounded = std::nearbyint(x);
  const double mantissa = std::frexp(std::fabs(rounded), &exponent);  // in [0.5, 1)
  u64 r = 0;
  if (exponent <= 63) {
    r = static_cast<u64>(std::fabs(rounded)) % m.q;
  } else {
    r = static_cast<u64>(std::ldexp(mantissa, 53)) % m.q;
    for (int i = 53; i < exponent; ++i) r = r * 2 % m.q;
  }
  return rounded < 0 && r != 0 ? m.q - r : r;
}

PreparedStep prepare_step(const plan::Step& step, std::size_t outputs, const ckks::Parameters& params,
                          std::size_t blocks) {
  PreparedStep p;
  p.blocks = blocks;
  p.step = &step;
  p.adds_squares = plan::adds_squares(step);
  for (std::uint32_t s = 0; s < step.sources.size(); ++s) {
    const auto& source = step.sources[s];
    for (const auto e : source.elements) p.inputs.push_back({source.value, e, source.kind, s});
  }
  const auto& ring = params.ring();
  for (const auto& source : step.sources)
    for (std::size_t l = 0; l < step.limbs; ++l)
      p.lift.push_back(kernels::make_factor(source.lift % ring.q(l), ring.modulus(l)));
  p.kept = keep_weights(p, params);
  if (blocks > 1 && step.bias.size() == outputs * blocks) {
    p.block_bias = block_bias_residues(step, params, blocks);
  } else if (!step.bias.empty()) {
    p.bias.resize(step.limbs * outputs);
    for (std::size_t l = 0; l < step.limbs; ++l)
      for (std::size_t o = 0; o < outputs; ++o)
        p.bias[l * outputs + o] = round_to_residue(step.bias[o] * step.affine_scale, ring.modulus(l));
  }
  return p;
}

GroupInputs gather_inputs(const plan::Step& step, std::span<const std::uint32_t> groups) {
  GroupInputs t;
  std::vector<std::uint32_t> place(step.pairs.size(), plan::kAbsent);
  for (const auto g : groups)
    for (const auto pair : step.groups[g].pairs) place[pair] = 0;
  for (std::uint32_t pair = 0; pair < place.size(); ++pair) {
    if (place[pair] == plan::kAbsent) continue;
    place[pair] = static_cast<std::uint32_t>(t.pairs.size());
    t.pairs.push_back(pair);
  }
  for (const auto g : groups) {
    t.slot_begin.push_back(t.slots.size());
    for (const auto pair : step.groups[g].pairs) t.slots.push_back(place[pair]);
  }
  return t;
}

}  // namespace velum::engine
