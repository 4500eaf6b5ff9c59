// Digit split and digit matrix product with 16-bit dot products (vpdpwssd).
#include <utility>

#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {
namespace {

// Balanced digits of the centred residue c in the 16-bit fields of each word: adding 2^15 in every place
// turns them into ordinary ones, from which 2^15 is taken again without borrows.
inline Words balanced_digits(Words x, Words half, Words q, Words offset) {
  const Words centred = _mm512_mask_sub_epi64(x, _mm512_cmpgt_epu64_mask(x, half), x, q);
  return _mm512_xor_si512(_mm512_add_epi64(centred, offset), offset);
}

template <int Digits>
void split_pair_digits(std::int16_t* panel, std::size_t tile_stride, const u64* a, const u64* b,
                       std::size_t columns, u64 modulus) {
  const Words q = splat(modulus), half = splat(modulus / 2);
  // Two digits: the upper fields are never read.
  const Words offset = splat(0x800080008000u);
  const Words even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14),
              odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
  for (std::size_t c = 0; c < columns; c += kTile, panel += tile_stride) {
    const Words a0 = balanced_digits(load(a + c), half, q, offset);
    const Words a1 = balanced_digits(load(a + c + 8), half, q, offset);
    const Words b0 = b ? balanced_digits(load(b + c), half, q, offset) : _mm512_setzero_si512();
    const Words b1 = b ? balanced_digits(load(b + c + 8), half, q, offset) : _mm512_setzero_si512();
    // Each 128-bit lane: the pair (a, b) of digits 0, 1, 2, - of one column; even columns, then odd ones.
    const Words even0 = _mm512_unpacklo_epi16(a0, b0), odd0 = _mm512_unpackhi_epi16(a0, b0);
    const Words even1 = _mm512_unpacklo_epi16(a1, b1), odd1 = _mm512_unpackhi_epi16(a1, b1);
    const Words low0 = _mm512_unpacklo_epi32(even0, odd0), low1 = _mm512_unpacklo_epi32(even1, odd1);
    _mm512_storeu_si512(panel, _mm512_permutex2var_epi64(low0, even, low1));
    _mm512_storeu_si512(panel + 2 * kTile, _mm512_permutex2var_epi64(low0, odd, low1));
    if constexpr (Digits == 3) {
      const Words high0 = _mm512_unpackhi_epi32(even0, odd0), high1 = _mm512_unpackhi_epi32(even1, odd1);
      _mm512_storeu_si512(panel + 4 * kTile, _mm512_permutex2var_epi64(high0, even, high1));
    }
  }
}

// Outputs of a layer are far more than the caches hold, and are read again only when it is finished: a line
// that is written whole need not be fetched first. The caller orders these
// stores (Table::digit_product).
inline void store_output(u64* out, Words x, bool keep_near) {
  if (!keep_near && reinterpret_cast<std::uintptr_t>(out) % sizeof(Words) == 0) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(out), x);
  } else {
    store(out, x);
  }
}

// Sixteen sums, as 64-bit words.
struct Wide {
  Words low, high;  // columns 0-7 and 8-15
};

// v = a0 + a1 2^16 (+ a2 2^32) without widening first: carries move up 16 bits at a time inside 32 bits. They
// fit, since |a| <= 2^31 - 2^15 by the contract of DigitGroup and a carry is at most 2^15. The words are then
// put together from their halves.
template <int Digits>
inline Wide recombine(const Words (&a)[Digits]) {
  const Words middle = _mm512_add_epi32(a[1], _mm512_srai_epi32(a[0], 16));
  const Words low = _mm512_mask_blend_epi16(0x55555555, _mm512_slli_epi32(middle, 16), a[0]);
  Words high = _mm512_srai_epi32(middle, 16);
  if constexpr (Digits == 3) high = _mm512_add_epi32(high, a[2]);
  const Words first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const Words second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return {_mm512_permutex2var_epi32(low, first, high), _mm512_permutex2var_epi32(low, second, high)};
}

// (v + bias) mod q for |v| < 2^63, bias < q. The quotient (v + bias)/q - 1/2 - 1/64 is computed in doubles
// with an error below 2^-8 (|v| / q < 2^43) and rounded to nearest, so that v + bias - k q is in (0, 2q), and
// 52 bits determine it.
struct Reducer {
  Words q, minus_q, mask;
  __m512d inverse;

  explicit Reducer(const Modulus& m)
      : q(splat(m.q)),
        minus_q(splat((u64{1} << 52) - m.q)),
        mask(splat(kMask52)),
        inverse(_mm512_set1_pd(m.inverse)) {}
  Words operator()(Words v, Words bias, __m512d bias_quotient) const {
    const Words k = _mm512_cvtpd_epi64(_mm512_fmadd_pd(_mm512_cvtepi64_pd(v), inverse, bias_quotient));
    const Words r = _mm512_and_si512(low_product(_mm512_add_epi64(v, bias), k, minus_q), mask);
    return _mm512_min_epu64(r, _mm512_sub_epi64(r, q));
  }
};

constexpr double kQuotientOffset = -0.5 - 1.0 / 64;
constexpr std::size_t kRowsAtOnce = 64 * kMaxRows;

// What is the same for all tiles of a call.
struct Product {
  u64* const* out;
  const std::int16_t* panel;
  std::size_t tile_stride;
  const DigitGroup& group;
  Reducer reduce;
  // For the rows from first_row on: biases, and their share of the quotient.
  std::size_t first_row;
  u64* bias;
  double* bias_quotient;
};

// acc += x0 w0 + x1 w1 in every 32-bit place. In assembly, which ties the sum to one register: given the
// intrinsic, g++ 12 keeps a second copy of every sum and stores it to the stack each time.
[[gnu::always_inline]] inline void add_dot_products(Words& acc, Words x, Words w) {
  asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
}

// The sums of `count` pairs: sum[t][r][d] for tile, row and digit, all in registers. The loops over them are
// unrolled in full and by plain indices: anything that takes their addresses sends them through memory.
template <int Rows, int Digits, int Tiles>
struct Sums {
  Words of[Tiles][Rows][Digits];
};

template <int Rows, int Digits, int Tiles>
[[gnu::always_inline]] inline Sums<Rows, Digits, Tiles> sum_pairs(const std::int16_t* panel,
                                                                  std::size_t tile_stride,
                                                                  const std::uint32_t* slots,
                                                                  const std::int16_t* weights,
                                                                  std::size_t count) {
  constexpr std::size_t kSlot = static_cast<std::size_t>(Digits) * 2 * kTile;
  Words acc[Tiles][Rows][Digits];
#pragma GCC unroll 2
  for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 3
      for (int d = 0; d < Digits; ++d) acc[t][r][d] = _mm512_setzero_si512();
    }
  }
  for (std::size_t p = 0; p < count; ++p, weights += 2 * Rows) {
    const std::int16_t* place = panel + slots[p] * kSlot;
    // A tile may be larger than L1: fetch ahead, as if slots followed each other (an address past the end
    // does no harm).
#pragma GCC unroll 3
    for (int d = 0; d < Digits; ++d) {
      _mm_prefetch(reinterpret_cast<const char*>(place + 8 * kSlot + static_cast<std::size_t>(d) * 2 * kTile),
                   _MM_HINT_T0);
    }
    Words x[Tiles][Digits];
#pragma GCC unroll 2
    for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 3
      for (int d = 0; d < Digits; ++d) {
        x[t][d] = _mm512_loadu_si512(place + static_cast<std::size_t>(t) * tile_stride +
                                     static_cast<std::size_t>(d) * 2 * kTile);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      std::int32_t pair;
      __builtin_memcpy(&pair, weights + 2 * r, sizeof pair);
      const Words w = _mm512_set1_epi32(pair);
#pragma GCC unroll 2
      for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 3
        for (int d = 0; d < Digits; ++d) add_dot_products(acc[t][r][d], x[t][d], w);
      }
    }
  }
  Sums<Rows, Digits, Tiles> sums;
#pragma GCC unroll 2
  for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 3
      for (int d = 0; d < Digits; ++d) sums.of[t][r][d] = acc[t][r][d];
    }
  }
  return sums;
}

// `Rows` rows from first_row on, of `Tiles` tiles from `tile` on.
template <int Rows, int Digits, int Tiles>
void product_block(const Product& c, std::size_t first_row, std::size_t tile) {
  const DigitGroup& g = c.group;
  const std::int16_t* panel = c.panel + tile * c.tile_stride;
  const std::int16_t* weights = g.weights + first_row * g.pairs * 2;
  const auto finish = [&](int t, int r, Wide v) __attribute__((always_inline)) {
    const std::size_t row = first_row + static_cast<std::size_t>(r);
    const Words bias = splat(c.bias[row - c.first_row]);
    const __m512d bias_quotient = _mm512_set1_pd(c.bias_quotient[row - c.first_row]);
    u64* out = c.out[row] + (tile + static_cast<std::size_t>(t)) * kTile;
    store_output(out, c.reduce(v.low, bias, bias_quotient), g.keep_near);
    store_output(out + 8, c.reduce(v.high, bias, bias_quotient), g.keep_near);
  };

  if (g.pairs <= g.run_pairs) {
    const auto sums = sum_pairs<Rows, Digits, Tiles>(panel, c.tile_stride, g.pair_slots, weights, g.pairs);
#pragma GCC unroll 2
    for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) finish(t, r, recombine<Digits>(sums.of[t][r]));
    }
    return;
  }
  Wide total[Tiles][Rows];
  for (int t = 0; t < Tiles; ++t) {
    for (int r = 0; r < Rows; ++r) total[t][r] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  }
  const __m512d no_bias = _mm512_set1_pd(kQuotientOffset);
  for (std::size_t done = 0; done < g.pairs; done += g.run_pairs) {
    const std::size_t count = g.pairs - done < g.run_pairs ? g.pairs - done : g.run_pairs;
    const auto sums = sum_pairs<Rows, Digits, Tiles>(panel, c.tile_stride, g.pair_slots + done,
                                                     weights + done * 2 * Rows, count);
#pragma GCC unroll 2
    for (int t = 0; t < Tiles; ++t) {
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        const Wide run = recombine<Digits>(sums.of[t][r]);
        Wide v{_mm512_add_epi64(total[t][r].low, run.low), _mm512_add_epi64(total[t][r].high, run.high)};
        if (g.reduce_each_run) {
          v = {c.reduce(v.low, _mm512_setzero_si512(), no_bias),
               c.reduce(v.high, _mm512_setzero_si512(), no_bias)};
        }
        total[t][r] = v;
      }
    }
  }
  for (int t = 0; t < Tiles; ++t) {
    for (int r = 0; r < Rows; ++r) finish(t, r, total[t][r]);
  }
}

using BlockFunction = void (*)(const Product&, std::size_t first_row, std::size_t tile);

// vpdpwssd has five cycles of latency and starts two a cycle: fewer than ten sums at once leave it idle, so
// that small blocks take two tiles together.
constexpr bool takes_two_tiles(int rows, int digits) {
  return rows * digits < 10;
}

template <int Digits, int Tiles, int... Rows>
BlockFunction block_function(std::size_t rows, std::integer_sequence<int, Rows...>) {
  static constexpr BlockFunction kFunctions[] = {
      product_block < Rows + 1, Digits, Tiles == 2 && takes_two_tiles(Rows + 1, Digits) ? 2 : 1 > ...};
  return kFunctions[rows - 1];
}

template <int Digits>
void digit_product_digits(Product& c, std::size_t tiles, const u64* bias, double inverse) {
  constexpr auto kRows = std::make_integer_sequence<int, static_cast<int>(kMaxRows)>{};
  const std::size_t blocks = row_block_count(c.group.rows);
  for (std::size_t first_block = 0; first_block < blocks; first_block += kRowsAtOnce / kMaxRows) {
    const std::size_t last_block =
        first_block + kRowsAtOnce / kMaxRows < blocks ? first_block + kRowsAtOnce / kMaxRows : blocks;
    c.first_row = row_block(c.group.rows, first_block).begin;
    const std::size_t end = row_block(c.group.rows, last_block - 1).end;
    for (std::size_t row = c.first_row; row < end; ++row) {
      const u64 b = bias ? bias[row] : 0;
      c.bias[row - c.first_row] = b;
      c.bias_quotient[row - c.first_row] = static_cast<double>(b) * inverse + kQuotientOffset;
    }
    // Tile by tile: a tile of the panel is read again for every block of rows while it is near.
    for (std::size_t tile = 0; tile < tiles; tile += 2) {
      for (std::size_t block = first_block; block < last_block; ++block) {
        const RowBlock rows = row_block(c.group.rows, block);
        const std::size_t count = rows.end - rows.begin;
        if (tile + 1 < tiles && takes_two_tiles(static_cast<int>(count), Digits)) {
          block_function<Digits, 2>(count, kRows)(c, rows.begin, tile);
        } else {
          const BlockFunction f = block_function<Digits, 1>(count, kRows);
          f(c, rows.begin, tile);
          if (tile + 1 < tiles) f(c, rows.begin, tile + 1);
        }
      }
    }
  }
}

}  // namespace

void split_pair(std::int16_t* panel, std::size_t tile_stride, const u64* a, const u64* b, std::size_t columns,
                int digits, const Modulus& m) {
  if (digits == 2) {
    split_pair_digits<2>(panel, tile_stride, a, b, columns, m.q);
  } else {
    split_pair_digits<3>(panel, tile_stride, a, b, columns, m.q);
  }
}

void digit_product(u64* const* out, const std::int16_t* panel, std::size_t tile_stride, std::size_t tiles,
                   int digits, const DigitGroup& group, const u64* bias, const Modulus& m) {
  u64 biases[kRowsAtOnce];  // left as they are until a block of rows needs them: zeroing costs more than a
                            // small group
  double bias_quotients[kRowsAtOnce];
  Product c{out, panel, tile_stride, group, Reducer(m), 0, biases, bias_quotients};
  if (digits == 2) {
    digit_product_digits<2>(c, tiles, bias, m.inverse);
  } else {
    digit_product_digits<3>(c, tiles, bias, m.inverse);
  }
}

}  // namespace velum::kernels::avx512
