// Digit split and digit matrix product with 16-bit products added in pairs (vpmaddwd).
#include "kernels/avx2/avx2.h"
#include "kernels/avx2/doubles.h"

namespace velum::kernels::avx2 {
namespace {

// Balanced digits of the centred residue in the 16-bit fields of each word: see avx512/digits.cpp.
inline Words balanced_digits(Words x, Words half, Words q, Words offset) {
  const Words centred = _mm256_sub_epi64(x, _mm256_and_si256(_mm256_cmpgt_epi64(x, half), q));
  return _mm256_xor_si256(_mm256_add_epi64(centred, offset), offset);
}

inline void store_half(std::int16_t* p, __m128i v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
}

// Half a tile: eight 32-bit sums a register, sixteen registers hold the sums of four rows.
constexpr std::size_t kColumns = 8;
constexpr std::size_t kRows = 4;

// Eight sums, as 64-bit words.
struct Wide {
  Words low, high;
};

// a0 + a1 2^16 (+ a2 2^32): carries move inside 32 bits, where they fit (see avx512/digits.cpp).
template <int Digits>
inline Wide recombine(const Words (&a)[Digits]) {
  const Words middle = _mm256_add_epi32(a[1], _mm256_srai_epi32(a[0], 16));
  const Words low = _mm256_blend_epi16(_mm256_slli_epi32(middle, 16), a[0], 0x55);
  Words high = _mm256_srai_epi32(middle, 16);
  if constexpr (Digits == 3) high = _mm256_add_epi32(high, a[2]);
  const Words x = _mm256_unpacklo_epi32(low, high), y = _mm256_unpackhi_epi32(low, high);
  return {_mm256_permute2x128_si256(x, y, 0x20), _mm256_permute2x128_si256(x, y, 0x31)};
}

// v mod q for signed 64-bit v = high 2^32 + low, 0 <= low < 2^32: high (2^32 mod q) is a product in doubles.
struct Reducer : Prime {
  Reals power, power_ratio;
  explicit Reducer(const Modulus& m)
      : Prime(m),
        power(splat_real(static_cast<double>((u64{1} << 32) % m.q))),
        power_ratio(_mm256_mul_pd(power, inverse)) {}

  Reals operator()(Words v) const {
    const Words low = _mm256_and_si256(v, splat(0xffffffffu));
    const Words halves = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(1, 3, 5, 7, 1, 3, 5, 7));
    const Reals high = _mm256_cvtepi32_pd(_mm256_castsi256_si128(halves));
    return raise(reduce(_mm256_add_pd(product(high, power, power_ratio), to_reals(low))));
  }
};

// `Rows` rows from `first` of a block of `block_rows`, eight columns.
template <std::size_t Rows, int Digits>
void product_rows(u64* const* out, const std::int16_t* panel, const DigitGroup& g,
                  const std::int16_t* weights, std::size_t block_rows, const u64* bias,
                  const Reducer& reduce) {
  constexpr std::size_t kSlot = static_cast<std::size_t>(Digits) * 2 * kTile;
  Wide total[Rows];
  for (Wide& v : total) v = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::size_t done = 0; done < g.pairs; done += g.run_pairs) {
    const std::size_t end = g.pairs - done < g.run_pairs ? g.pairs : done + g.run_pairs;
    Words acc[Rows][Digits];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 3
      for (int d = 0; d < Digits; ++d) acc[r][d] = _mm256_setzero_si256();
    }
    for (std::size_t p = done; p < end; ++p) {
      const std::int16_t* place = panel + g.pair_slots[p] * kSlot;
      const std::int16_t* w = weights + p * block_rows * 2;
#pragma GCC unroll 4
      for (std::size_t r = 0; r < Rows; ++r) {
        std::int32_t pair;
        __builtin_memcpy(&pair, w + 2 * r, sizeof pair);
        const Words both = _mm256_set1_epi32(pair);
#pragma GCC unroll 3
        for (int d = 0; d < Digits; ++d) {
          const auto* x = reinterpret_cast<const __m256i*>(place + static_cast<std::size_t>(d) * 2 * kTile);
          acc[r][d] = _mm256_add_epi32(acc[r][d], _mm256_madd_epi16(_mm256_loadu_si256(x), both));
        }
      }
    }
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) {
      const Wide run = recombine<Digits>(acc[r]);
      total[r] = {_mm256_add_epi64(total[r].low, run.low), _mm256_add_epi64(total[r].high, run.high)};
      if (g.reduce_each_run) total[r] = {to_words(reduce(total[r].low)), to_words(reduce(total[r].high))};
    }
  }
  for (std::size_t r = 0; r < Rows; ++r) {
    const Reals b = splat_real(bias ? static_cast<double>(bias[r]) : 0.0);
    store(out[r], to_words(reduce.lower(_mm256_add_pd(reduce(total[r].low), b))));
    store(out[r] + 4, to_words(reduce.lower(_mm256_add_pd(reduce(total[r].high), b))));
  }
}

template <int Digits>
void product(u64* const* out, const std::int16_t* panel, std::size_t tile_stride, std::size_t tiles,
             const DigitGroup& g, const u64* bias, const Reducer& reduce) {
  constexpr decltype(&product_rows<1, Digits>) kFunctions[kRows] = {
      product_rows<1, Digits>, product_rows<2, Digits>, product_rows<3, Digits>, product_rows<4, Digits>};
  for (std::size_t half = 0; half < 2 * tiles; ++half) {
    const std::int16_t* place = panel + half / 2 * tile_stride + half % 2 * 2 * kColumns;
    for (std::size_t block = 0; block < row_block_count(g.rows); ++block) {
      const RowBlock rows = row_block(g.rows, block);
      const std::size_t block_rows = rows.end - rows.begin;
      const std::size_t parts = (block_rows + kRows - 1) / kRows;
      for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t begin = block_rows * part / parts, count = block_rows * (part + 1) / parts - begin;
        u64* places[kRows];
        for (std::size_t r = 0; r < count; ++r) places[r] = out[rows.begin + begin + r] + half * kColumns;
        kFunctions[count - 1](places, place, g, g.weights + (rows.begin * g.pairs + begin) * 2, block_rows,
                              bias ? bias + rows.begin + begin : nullptr, reduce);
      }
    }
  }
}

}  // namespace

void split_pair(std::int16_t* panel, std::size_t tile_stride, const u64* a, const u64* b, std::size_t columns,
                int digits, const Modulus& m) {
  const Words q = splat(m.q), half = splat(m.q / 2), offset = splat(0x800080008000u);
  for (std::size_t c = 0; c < columns; c += 4) {
    std::int16_t* place = panel + c / kTile * tile_stride + c % kTile * 2;
    const Words x = balanced_digits(load(a + c), half, q, offset);
    const Words y = b ? balanced_digits(load(b + c), half, q, offset) : _mm256_setzero_si256();
    // Each 128-bit lane: the pairs of digits 0, 1, 2, - of one column; even columns, then odd ones.
    const Words even = _mm256_unpacklo_epi16(x, y), odd = _mm256_unpackhi_epi16(x, y);
    const Words low = _mm256_permute4x64_epi64(_mm256_unpacklo_epi32(even, odd), 0xd8);
    store_half(place, _mm256_castsi256_si128(low));
    store_half(place + 2 * kTile, _mm256_extracti128_si256(low, 1));
    if (digits == 3) {
      const Words high = _mm256_permute4x64_epi64(_mm256_unpackhi_epi32(even, odd), 0xd8);
      store_half(place + 4 * kTile, _mm256_castsi256_si128(high));
    }
  }
}

void digit_product(u64* const* out, const std::int16_t* panel, std::size_t tile_stride, std::size_t tiles,
                   int digits, const DigitGroup& group, const u64* bias, const Modulus& m) {
  const Reducer reduce(m);
  if (digits == 2) {
    product<2>(out, panel, tile_stride, tiles, group, bias, reduce);
  } else {
    product<3>(out, panel, tile_stride, tiles, group, bias, reduce);
  }
}

}  // namespace velum::kernels::avx2
