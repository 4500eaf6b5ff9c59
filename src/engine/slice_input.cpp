#include "engine/slice_input.h"

namespace velum::engine {

SliceInput slice_of(const ckks::ConstView& view, std::size_t l, std::size_t column) {
  SliceInput s;
  for (std::size_t p = 0; p < view.polys; ++p) s.poly[p] = view.limb(p, l) + column;
  return s;
}

SliceInput squared_slice(const PreparedStep& prepared, const ckks::Parameters& params, std::uint32_t index,
                         const SliceInput& from, std::size_t l, std::size_t columns, u64* own) {
  if (prepared.inputs[index].kind != plan::SourceKind::square) return from;
  SliceInput s;
  kernels::table().square_terms(own, own + columns, own + 2 * columns, from.poly[0], from.poly[1], columns,
                                params.ring().modulus(l));
  for (std::size_t p = 0; p < kMaxPolys; ++p) s.poly[p] = own + p * columns;
  return s;
}

SliceInput derive_slice(const PreparedStep& prepared, const ckks::Parameters& params, std::uint32_t index,
                        const SliceInput& from, std::size_t l, std::size_t columns, u64* own) {
  const auto& in = prepared.inputs[index];
  if (in.kind == plan::SourceKind::square || prepared.step->sources[in.source].lift == 1)
    return squared_slice(prepared, params, index, from, l, columns, own);
  SliceInput s;
  const auto& factor = prepared.lift[in.source * prepared.step->limbs + l];
  for (std::size_t p = 0; p < kMaxPolys && from.poly[p]; ++p) {
    kernels::table().multiply_scalar(own + p * columns, from.poly[p], factor, columns,
                                     params.ring().modulus(l));
    s.poly[p] = own + p * columns;
  }
  return s;
}

}  // namespace velum::engine
