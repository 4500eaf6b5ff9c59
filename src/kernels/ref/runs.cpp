// Products and sums with plaintexts that are constant on runs of columns.
#include "kernels/ref/arithmetic.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::ref {

// A sum of fewer than 2^32 products of two residues is below 2^128: it is reduced once.
void run_product(u64* const* out, const u64* const* x, const RunWeights& w, std::size_t first,
                 std::size_t columns, bool accumulate, const Modulus& m) {
  for (std::size_t row = 0; row < w.rows; ++row) {
    for (std::size_t i = first; i < first + columns; ++i) {
      u128 sum = accumulate ? out[row][i] : 0;
      for (std::size_t k = 0; k < w.inputs; ++k)
        sum += static_cast<u128>(w.weights[run_weight(w.rows, w.inputs, row, k)]) * x[k][i];
      out[row][i] = reduce(sum, m);
    }
  }
}

void add_runs(u64* out, const u64* a, const u64* w, std::size_t runs, std::size_t n, const Modulus& m) {
  const std::size_t columns = n / runs;
  for (std::size_t c = 0; c < runs; ++c)
    for (std::size_t i = c * columns; i < (c + 1) * columns; ++i) out[i] = add_mod(a[i], w[c], m.q);
}

}  // namespace velum::kernels::ref
