// The digit matrix product: residues as balanced 16-bit digits, int32 sums per digit, recombined modulo q.
#include "kernels/ref/arithmetic.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::ref {
namespace {

void split(std::int16_t* place, u64 x, int digits, u64 q) {
  std::int64_t rest = static_cast<std::int64_t>(x > q / 2 ? x - q : x);  // centred, |rest| <= (q - 1) / 2
  for (int d = 0; d < digits; ++d) {
    const auto digit = static_cast<std::int16_t>(static_cast<std::uint16_t>(rest));
    place[static_cast<std::size_t>(d) * 2 * kTile] = digit;
    rest = (rest - digit) >> 16;
  }
}

// The sums of one run of pairs for one row and the columns of one tile, each digit's in 32 bits by the
// contract of DigitGroup, added to v. Arithmetic modulo 2^64: only the total must fit.
void add_run(u64 (&v)[kTile], const std::int16_t* tile, const std::int16_t* weights, std::size_t row_count,
             const std::uint32_t* slots, std::size_t pairs, int digits) {
  for (int d = 0; d < digits; ++d) {
    std::int32_t sum[kTile] = {};
    for (std::size_t p = 0; p < pairs; ++p) {
      const std::int16_t* x =
          tile + (slots[p] * static_cast<std::size_t>(digits) + static_cast<std::size_t>(d)) * 2 * kTile;
      const std::int32_t w0 = weights[p * row_count * 2], w1 = weights[p * row_count * 2 + 1];
      for (std::size_t k = 0; k < kTile; ++k) sum[k] += w0 * x[2 * k] + w1 * x[2 * k + 1];
    }
    for (std::size_t k = 0; k < kTile; ++k) v[k] += static_cast<u64>(std::int64_t{sum[k]}) << (16 * d);
  }
}

}  // namespace

void split_pair(std::int16_t* panel, std::size_t tile_stride, const u64* a, const u64* b, std::size_t columns,
                int digits, const Modulus& m) {
  for (std::size_t c = 0; c < columns; ++c) {
    std::int16_t* place = panel + c / kTile * tile_stride + 2 * (c % kTile);
    split(place, a[c], digits, m.q);
    split(place + 1, b ? b[c] : 0, digits, m.q);
  }
}

void digit_product(u64* const* out, const std::int16_t* panel, std::size_t tile_stride, std::size_t tiles,
                   int digits, const DigitGroup& group, const u64* bias, const Modulus& m) {
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    for (std::size_t block = 0; block < row_block_count(group.rows); ++block) {
      const RowBlock rows = row_block(group.rows, block);
      const std::size_t row_count = rows.end - rows.begin;
      for (std::size_t row = rows.begin; row < rows.end; ++row) {
        const std::int16_t* weights = group.weights + (rows.begin * group.pairs + (row - rows.begin)) * 2;
        u64 v[kTile] = {};
        for (std::size_t p = 0; p < group.pairs; p += group.run_pairs) {
          const std::size_t pairs = group.pairs - p < group.run_pairs ? group.pairs - p : group.run_pairs;
          add_run(v, panel + tile * tile_stride, weights + p * row_count * 2, row_count, group.pair_slots + p,
                  pairs, digits);
          if (group.reduce_each_run) {
            for (u64& x : v) x = reduce_signed(static_cast<std::int64_t>(x), m);
          }
        }
        for (std::size_t k = 0; k < kTile; ++k) {
          const u64 r = reduce_signed(static_cast<std::int64_t>(v[k]), m);
          out[row][tile * kTile + k] = bias ? add_mod(r, bias[row], m.q) : r;
        }
      }
    }
  }
}

}  // namespace velum::kernels::ref
