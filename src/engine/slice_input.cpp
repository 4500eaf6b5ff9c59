#include "engine/slice_input.h"

namespace velum::engine {

SliceInput load_slice(const PreparedStep& prepared, const ckks::Parameters& params, std::uint32_t index,
                      const ckks::ConstView& view, std::size_t l, std::size_t column, std::size_t columns,
                      u64* own) {
  const auto& in = prepared.inputs[index];
  const auto& m = params.ring().modulus(l);
  SliceInput s;
  if (in.kind == plan::SourceKind::square) {
    kernels::table().square_terms(own, own + columns, own + 2 * columns, view.limb(0, l) + column,
                                  view.limb(1, l) + column, columns, m);
    for (std::size_t p = 0; p < kMaxPolys; ++p) s.poly[p] = own + p * columns;
    return s;
  }
  const bool lifted = prepared.step->sources[in.source].lift != 1;
  const auto& factor = prepared.lift[in.source * prepared.step->limbs + l];
  for (std::size_t p = 0; p < view.polys; ++p) {
    s.poly[p] = view.limb(p, l) + column;
    if (!lifted) continue;
    kernels::table().multiply_scalar(own + p * columns, s.poly[p], factor, columns, m);
    s.poly[p] = own + p * columns;
  }
  return s;
}

}  // namespace velum::engine
