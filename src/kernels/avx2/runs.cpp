// Products and sums with plaintexts that are constant on runs of columns.
//
// A centred residue of b bits is split into balanced halves, x = x0 + x1 2^h, h = ceil(b / 2), |x0|, |x1| <=
// 2^(h-1), and products into three sums after Karatsuba:
//   low = sum x0 w0, high = sum x1 w1, both = sum (x0 + x1)(w0 + w1), and the middle is both - low - high.
// Products of `both` are at most 2^2h in size, so that doubles hold the sums of 2^(53 - 2h) terms exactly: 32
// for the largest primes, and all of kInputs below 2^46.
#include "kernels/avx2/avx2.h"
#include "kernels/avx2/doubles.h"

namespace velum::kernels::avx2 {
namespace {

constexpr std::size_t kInputs =
    64;  // of a panel: its halves of kGroup columns and the weights' share the first cache
constexpr std::size_t kColumns = 64;  // of a panel
constexpr std::size_t kGroup =
    8;  // two vectors: with two rows, twelve sums and what they need fill the registers

// The halves of inputs and their sums, one input after the other for each group of columns. Limbs lie at
// multiples of large powers of two from each other, where their columns would compete for the same places of
// the caches.
struct Panel {
  alignas(32) double at[kColumns / kGroup][kInputs][3][kGroup];
};

// The same of the weights of a block of rows: [input][row], as many rows as the block has.
struct SplitWeights {
  alignas(32) double at[3][kInputs * kMaxRows];
};

struct RunPrime : Prime {
  Reals half_q, power, inverse_power;          // q / 2, 2^h, 2^-h
  Reals middle, middle_ratio, top, top_ratio;  // 2^h and 2^2h modulo q, and each over q
  std::size_t terms;                           // between reductions

  explicit RunPrime(const Modulus& m) : Prime(m) {
    const int bits = 64 - __builtin_clzll(m.q), h = (bits + 1) / 2;
    const u64 a = (u64{1} << h) % m.q, b = static_cast<u64>(static_cast<u128>(a) * a % m.q);
    half_q = splat_real(static_cast<double>(m.q) / 2);
    power = splat_real(static_cast<double>(u64{1} << h));
    inverse_power = splat_real(1 / static_cast<double>(u64{1} << h));
    middle = splat_real(static_cast<double>(a));
    middle_ratio = _mm256_mul_pd(middle, inverse);
    top = splat_real(static_cast<double>(b));
    top_ratio = _mm256_mul_pd(top, inverse);
    terms = std::size_t{1} << (53 - 2 * h);
    if (terms > kInputs) terms = kInputs;
  }

  // Both halves of residues and their sum, at places `stride` apart.
  void split(double* to, std::size_t stride, Words x) const {
    Reals c = to_reals(x);
    c = _mm256_sub_pd(c, _mm256_and_pd(_mm256_cmp_pd(c, half_q, _CMP_GT_OQ), q));
    const Reals upper = nearest(_mm256_mul_pd(c, inverse_power)), lower = _mm256_fnmadd_pd(upper, power, c);
    _mm256_store_pd(to, lower);
    _mm256_store_pd(to + stride, upper);
    _mm256_store_pd(to + 2 * stride, _mm256_add_pd(lower, upper));
  }

  // The sums' value to [0, q), with what stands in `sum` added. reduce() takes integers up to 2^53.
  Words reduce_sums(Reals low, Reals high, Reals both, Reals sum) const {
    const Reals cross = _mm256_sub_pd(_mm256_sub_pd(both, low), high);
    const Reals a = product(reduce(high), top, top_ratio), b = product(reduce(cross), middle, middle_ratio);
    const Reals all = _mm256_add_pd(_mm256_add_pd(a, b), _mm256_add_pd(reduce(low), sum));  // below 3.4 q
    return to_words(raise(reduce(all)));
  }
};

inline void fill_panel(Panel& panel, const u64* const* x, std::size_t inputs, std::size_t at,
                       std::size_t columns, const RunPrime& p) {
  for (std::size_t k = 0; k < inputs; ++k)
    for (std::size_t c = 0; c < columns; c += 4)
      p.split(panel.at[c / kGroup][k][0] + c % kGroup, kGroup, load(x[k] + at + c));
}

inline void split_weights(SplitWeights& s, const u64* w, std::size_t count, const RunPrime& p) {
  for (std::size_t i = 0; i < count; i += 4) {
    u64 last[4] = {};  // nothing is read beyond the weights
    if (count - i < 4) __builtin_memcpy(last, w + i, (count - i) * sizeof(u64));
    p.split(s.at[0] + i, kInputs * kMaxRows, load(count - i < 4 ? last : w + i));
  }
}

// R rows of a block from `row` on, eight columns.
template <std::size_t R>
[[gnu::always_inline]] inline void product_tile(u64* const* out, const double (*x)[3][kGroup],
                                                const SplitWeights& w, std::size_t row, std::size_t rows,
                                                std::size_t inputs, std::size_t at, bool add,
                                                const RunPrime& p) {
  Reals sums[3][R][2];
  for (auto& digit : sums)
    for (auto& of_row : digit) of_row[0] = of_row[1] = _mm256_setzero_pd();
  for (std::size_t k = 0; k < inputs; ++k) {
#pragma GCC unroll 3
    for (std::size_t d = 0; d < 3; ++d) {
      const Reals a = _mm256_load_pd(x[k][d]), b = _mm256_load_pd(x[k][d] + 4);
#pragma GCC unroll 2
      for (std::size_t r = 0; r < R; ++r) {
        const Reals weight = _mm256_broadcast_sd(&w.at[d][k * rows + row + r]);
        sums[d][r][0] = _mm256_fmadd_pd(a, weight, sums[d][r][0]);
        sums[d][r][1] = _mm256_fmadd_pd(b, weight, sums[d][r][1]);
      }
    }
  }
  for (std::size_t r = 0; r < R; ++r)
    for (std::size_t v = 0; v < 2; ++v) {
      u64* to = out[row + r] + at + 4 * v;
      const Reals before = add ? to_reals(load(to)) : _mm256_setzero_pd();
      store(to, p.reduce_sums(sums[0][r][v], sums[1][r][v], sums[2][r][v], before));
    }
}

// All rows of a block over a panel.
void product_block(u64* const* out, const Panel& panel, const SplitWeights& w, std::size_t rows,
                   std::size_t inputs, std::size_t at, std::size_t columns, bool add, const RunPrime& p) {
  for (std::size_t c = 0; c < columns; c += kGroup) {
    std::size_t row = 0;
    for (; row + 2 <= rows; row += 2)
      product_tile<2>(out, panel.at[c / kGroup], w, row, rows, inputs, at + c, add, p);
    if (row < rows) product_tile<1>(out, panel.at[c / kGroup], w, row, rows, inputs, at + c, add, p);
  }
}

}  // namespace

void run_product(u64* const* out, const u64* const* x, const RunWeights& w, std::size_t first,
                 std::size_t columns, bool accumulate, const Modulus& m) {
  const RunPrime p(m);
  Panel panel;
  SplitWeights split;
  for (std::size_t at = first; at < first + columns; at += kColumns) {
    const std::size_t width = first + columns - at < kColumns ? first + columns - at : kColumns;
    // One pass where there are no inputs, which clears the outputs.
    for (std::size_t begin = 0; begin == 0 || begin < w.inputs; begin += p.terms) {
      const std::size_t inputs = w.inputs - begin < p.terms ? w.inputs - begin : p.terms;
      fill_panel(panel, x + begin, inputs, at, width, p);
      for (std::size_t b = 0; b < row_block_count(w.rows); ++b) {
        const RowBlock block = row_block(w.rows, b);
        const std::size_t rows = block.end - block.begin;
        split_weights(split, w.weights + block.begin * w.inputs + begin * rows, inputs * rows, p);
        product_block(out + block.begin, panel, split, rows, inputs, at, width, accumulate || begin > 0, p);
      }
    }
  }
}

void add_runs(u64* out, const u64* a, const u64* w, std::size_t runs, std::size_t n, const Modulus& m) {
  const Words q = splat(m.q);
  const std::size_t columns = n / runs;
  for (std::size_t c = 0; c < runs; ++c) {
    const Words shift = _mm256_sub_epi64(splat(w[c]), q);
    for (std::size_t i = c * columns; i < (c + 1) * columns; i += 4) {
      const Words sum = _mm256_add_epi64(load(a + i), shift);
      const Words negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), sum);
      store(out + i, _mm256_add_epi64(sum, _mm256_and_si256(negative, q)));
    }
  }
}

}  // namespace velum::kernels::avx2
