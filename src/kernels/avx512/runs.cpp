// Products and sums with plaintexts that are constant on runs of columns.
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {
namespace {

constexpr std::size_t kInputs = 128;  // between reductions (see Sum)
constexpr std::size_t kColumns = 64;  // of a panel
constexpr std::size_t kGroup = 8;     // a vector

// Inputs of kColumns columns, one after the other for each group of columns. Limbs lie at multiples of large
// powers of two from each other, where their columns would compete for the same places of the caches.
struct Panel {
  alignas(64) u64 at[kColumns / kGroup][kInputs][kGroup];
};

inline void fill_panel(Panel& panel, const u64* const* x, std::size_t inputs, std::size_t at,
                       std::size_t columns) {
  for (std::size_t k = 0; k < inputs; ++k)
    for (std::size_t c = 0; c < columns; c += kGroup) store(panel.at[c / kGroup][k], load(x[k] + at + c));
}

// All R rows of a block, eight columns: weights w[input][row].
template <std::size_t R>
[[gnu::always_inline]] inline void product_tile(u64* const* out, const u64* x, const u64* w,
                                                std::size_t inputs, std::size_t at, bool add,
                                                const SumReducer& p) {
  Sum sums[R];
  for (std::size_t k = 0; k < inputs; ++k) {
    const Words v = load(x + k * kGroup);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) sums[r].add(v, splat(w[k * R + r]));
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
    u64* to = out[r] + at;
    const Words sum = p.reduce_sum(sums[r]);
    store(to, add ? p.subtract_once(_mm512_add_epi64(sum, load(to))) : sum);
  }
}

template <std::size_t R>
void product_rows(u64* const* out, const Panel& panel, const u64* w, std::size_t inputs, std::size_t at,
                  std::size_t columns, bool add, const SumReducer& p) {
  for (std::size_t c = 0; c < columns; c += kGroup)
    product_tile<R>(out, panel.at[c / kGroup][0], w, inputs, at + c, add, p);
}

using ProductRows = void (*)(u64* const*, const Panel&, const u64*, std::size_t, std::size_t, std::size_t,
                             bool, const SumReducer&);
constexpr ProductRows kProductRows[kMaxRows] = {product_rows<1>, product_rows<2>, product_rows<3>,
                                                product_rows<4>, product_rows<5>, product_rows<6>,
                                                product_rows<7>, product_rows<8>};

}  // namespace

void run_product(u64* const* out, const u64* const* x, const RunWeights& w, std::size_t first,
                 std::size_t columns, bool accumulate, const Modulus& m) {
  const SumReducer p(m.q);
  Panel panel;
  for (std::size_t at = first; at < first + columns; at += kColumns) {
    const std::size_t width = first + columns - at < kColumns ? first + columns - at : kColumns;
    // One pass where there are no inputs, which clears the outputs.
    for (std::size_t begin = 0; begin == 0 || begin < w.inputs; begin += kInputs) {
      const std::size_t inputs = w.inputs - begin < kInputs ? w.inputs - begin : kInputs;
      fill_panel(panel, x + begin, inputs, at, width);
      for (std::size_t b = 0; b < row_block_count(w.rows); ++b) {
        const RowBlock block = row_block(w.rows, b);
        const std::size_t rows = block.end - block.begin;
        kProductRows[rows - 1](out + block.begin, panel, w.weights + block.begin * w.inputs + begin * rows,
                               inputs, at, width, accumulate || begin > 0, p);
      }
    }
  }
}

void add_runs(u64* out, const u64* a, const u64* w, std::size_t runs, std::size_t n, const Modulus& m) {
  const Prime p(m.q);
  const std::size_t columns = n / runs;
  for (std::size_t c = 0; c < runs; ++c) {
    const Words s = splat(w[c]);
    for (std::size_t i = c * columns; i < (c + 1) * columns; i += 8)
      store(out + i, p.subtract_once(_mm512_add_epi64(load(a + i), s)));
  }
}

}  // namespace velum::kernels::avx512
