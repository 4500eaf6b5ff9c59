#include "plan/emit/emit_rotations.h"

#include <algorithm>

#include "base/error.h"
#include "plan/schedule/peak.h"
#include "ring/automorphism.h"

namespace velum::plan {

void RotationSteps::add(std::uint32_t value, RotationOrder order, const std::string& layer) {
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  std::erase_if(order, [&](const auto& wanted) { return copies_.count({value, wanted}) > 0; });
  if (order.empty()) return;
  const auto index = static_cast<std::uint32_t>(plan_.values.size());
  Value rotated = plan_.values[value];
  rotated.name += ".rotated";
  rotated.elements = static_cast<std::uint32_t>(order.size());
  rotated.layout.clear();
  rotated.row_begin = {0};
  Step step;
  step.kind = StepKind::rotation;
  step.name = layer + ".rotations";
  step.output = index;
  step.limbs = rotated.limbs;
  step.polys = 2;
  step.affine_scale = rotated.scale;
  step.sources.push_back({value, SourceKind::plain, 1, {}});
  std::uint32_t row = 0;
  for (std::uint32_t k = 0; k < order.size(); ++k) {
    const auto& [element, shift] = order[k];
    const auto now = row_of(plan_.values[value], element);
    if (k > 0 && now != row) rotated.row_begin.push_back(k);
    row = now;
    step.sources[0].elements.push_back(element);
    step.shifts.push_back(shift);
    copies_[{value, order[k]}] = {index, k};
  }
  rotated.row_begin.push_back(rotated.elements);
  plan_.values.push_back(std::move(rotated));
  meanings_.emplace_back();
  plan_.steps.push_back(std::move(step));
}

RotationSteps::Copy RotationSteps::copy_of(std::uint32_t value, std::uint32_t element,
                                           std::int32_t shift) const {
  const auto it = copies_.find({value, {element, shift}});
  if (it == copies_.end()) fail("plan: no step rotates element {} of value {} by {}", element, value, shift);
  return it->second;
}

void RotationSteps::replace(Source& source, std::int32_t shift) const {
  // Copies of one source were added together: they are of one value, unless another stage had made some
  // before.
  const auto from = source.value;
  for (auto& e : source.elements) {
    const auto copy = copy_of(from, e, shift);
    if (&e != source.elements.data() && copy.value != source.value)
      fail("plan: rotated copies of value {} lie in two values", from);
    source.value = copy.value;
    e = copy.element;
  }
}

std::vector<ckks::RotationKeyEntry> RotationSteps::keys() const {
  std::map<std::uint32_t, std::size_t> limbs;
  const auto slots = ring::slot_count(plan_.client.params.ring, plan_.client.params.n);
  for (const auto& step : plan_.steps)
    for (const auto shift : step.shifts) {
      auto& most = limbs[ring::normalised_steps(shift, slots)];
      most = std::max<std::size_t>(most, step.limbs);
    }
  std::vector<ckks::RotationKeyEntry> keys;
  keys.reserve(limbs.size());
  for (const auto& [steps, height] : limbs) keys.push_back({steps, height});
  return keys;
}

}  // namespace velum::plan
