#include "plan/cost.h"

#include <cmath>

#include "ckks/core/cost.h"

namespace velum::plan {

namespace {

ckks::OperationCost finish_cost(Finish finish, std::uint32_t limbs, std::size_t special) {
  switch (finish) {
    case Finish::none:
      return {};
    case Finish::relinearise:
      return ckks::relinearise_cost(limbs, special);
    case Finish::rescale:
      return ckks::rescale_cost(limbs);
    case Finish::relinearise_rescale:
      return ckks::relinearise_rescale_cost(limbs, special);
  }
  return {};
}

}  // namespace

StepCost operator+(const StepCost& a, const StepCost& b) {
  return {a.multiply_adds + b.multiply_adds, a.ntts + b.ntts, a.key_products + b.key_products,
          a.bytes + b.bytes, a.seconds + b.seconds};
}

StepCost cost_of(const StepWork& w, const RingSize& ring, const Rates& rates) {
  const double n = static_cast<double>(ring.n), polys = w.polys;
  std::uint64_t digits = 0;
  for (std::uint32_t l = 0; l < w.limbs; ++l) digits += static_cast<std::uint64_t>(ring.digits[l]);
  const auto finish = finish_cost(w.finish, w.limbs, ring.special);

  StepCost c;
  c.ntts = w.outputs * finish.ntts;
  c.key_products = w.outputs * finish.key_products;
  // An input is read once a task; an output is written, and where it is finished afterwards, read and written
  // again.
  const std::uint64_t limb_bytes = 8 * ring.n;
  const std::uint64_t read = w.panel_inputs * 2 * w.limbs;
  const std::uint64_t written = w.outputs * w.polys * w.limbs * (w.finish == Finish::none ? 1 : 3);
  c.bytes = (read + written) * limb_bytes;

  double pointwise = static_cast<double>(w.squares * ckks::square_cost(w.limbs).products);
  pointwise += static_cast<double>(w.outputs * (finish.key_products + finish.conversions + finish.products));
  if (!w.identity) {
    c.multiply_adds = w.lanes * ring.n * w.polys * w.limbs;
    // A three-digit residue costs three 16-bit products; Rates::multiply_adds counts residues of three
    // digits.
    c.seconds +=
        static_cast<double>(w.lanes) * n * polys * static_cast<double>(digits) / 3 / rates.multiply_adds;
    // Splitting into digits and recombining: about half a residue product a digit each.
    pointwise += 0.5 * polys * static_cast<double>(digits) * static_cast<double>(w.panel_inputs + w.outputs);
  }
  c.seconds += pointwise * n / rates.pointwise;
  c.seconds += static_cast<double>(c.ntts) * n / 2 * std::log2(n) / rates.ntt_butterflies;
  c.seconds += static_cast<double>(c.bytes) / rates.bytes;
  return c;
}

}  // namespace velum::plan
