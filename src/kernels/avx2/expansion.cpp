// Eight blocks of the cipher at a time, a word of each in a vector; four candidates at a time.
#include <immintrin.h>

#include <cstring>

#include "kernels/avx2/avx2.h"

namespace velum::kernels::avx2 {

namespace {

using u32 = std::uint32_t;
using Words = __m256i;

constexpr std::size_t kBlock = 64, kBlocks = 8;

inline Words load(const void* p) {
  return _mm256_loadu_si256(static_cast<const Words*>(p));
}
inline Words splat32(u32 v) {
  return _mm256_set1_epi32(static_cast<int>(v));
}

template <int Bits>
inline Words rotate(Words v) {
  return _mm256_or_si256(_mm256_slli_epi32(v, Bits), _mm256_srli_epi32(v, 32 - Bits));
}

// Rotations by whole bytes are shuffles.
struct Rotations {
  Words by16 = _mm256_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,  //
                                2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  Words by8 = _mm256_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,  //
                               3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
};

inline void quarter_round(Words& a, Words& b, Words& c, Words& d, const Rotations& r) {
  a = _mm256_add_epi32(a, b);
  d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), r.by16);
  c = _mm256_add_epi32(c, d);
  b = rotate<12>(_mm256_xor_si256(b, c));
  a = _mm256_add_epi32(a, b);
  d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), r.by8);
  c = _mm256_add_epi32(c, d);
  b = rotate<7>(_mm256_xor_si256(b, c));
}

// Words 4 g .. 4 g + 3 of all blocks, one vector each, to the blocks' bytes 16 g .. 16 g + 15.
inline void store_words(std::uint8_t* out, const Words* x) {
  const Words a = _mm256_unpacklo_epi32(x[0], x[1]), b = _mm256_unpackhi_epi32(x[0], x[1]);
  const Words c = _mm256_unpacklo_epi32(x[2], x[3]), d = _mm256_unpackhi_epi32(x[2], x[3]);
  const Words rows[4] = {_mm256_unpacklo_epi64(a, c), _mm256_unpackhi_epi64(a, c),
                         _mm256_unpacklo_epi64(b, d), _mm256_unpackhi_epi64(b, d)};
  for (std::size_t j = 0; j < 4; ++j, out += kBlock) {  // blocks j and j + 4
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(rows[j]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4 * kBlock), _mm256_extracti128_si256(rows[j], 1));
  }
}

void eight_blocks(std::uint8_t* out, const u32* state, u64 first) {
  alignas(32) u32 low[8], high[8];
  for (u32 k = 0; k < 8; ++k) {
    low[k] = static_cast<u32>(first + k);
    high[k] = static_cast<u32>((first + k) >> 32);
  }
  const auto word = [&](int k) { return k == 12 ? load(low) : k == 13 ? load(high) : splat32(state[k]); };
  const Rotations r;
  Words x[16];
  for (int k = 0; k < 16; ++k) x[k] = word(k);
  for (int round = 0; round < 20; round += 2) {
    quarter_round(x[0], x[4], x[8], x[12], r);
    quarter_round(x[1], x[5], x[9], x[13], r);
    quarter_round(x[2], x[6], x[10], x[14], r);
    quarter_round(x[3], x[7], x[11], x[15], r);
    quarter_round(x[0], x[5], x[10], x[15], r);
    quarter_round(x[1], x[6], x[11], x[12], r);
    quarter_round(x[2], x[7], x[8], x[13], r);
    quarter_round(x[3], x[4], x[9], x[14], r);
  }
  for (int k = 0; k < 16; ++k) x[k] = _mm256_add_epi32(x[k], word(k));
  for (std::size_t g = 0; g < 4; ++g) store_words(out + 16 * g, x + 4 * g);
}

// Row b of `order`: the places, of four, whose bit in b is set, as pairs of 32-bit halves; the rest
// arbitrary.
struct Compaction {
  alignas(32) u32 order[16][8];
};
constexpr Compaction kCompaction = [] {
  Compaction c{};
  for (u32 b = 0; b < 16; ++b)
    for (u32 from = 0, to = 0; from < 4; ++from)
      if (b >> from & 1) {
        c.order[b][2 * to] = 2 * from;
        c.order[b][2 * to + 1] = 2 * from + 1;
        ++to;
      }
  return c;
}();

}  // namespace

void key_stream(std::uint8_t* out, std::size_t blocks, const std::uint8_t* key, u64 nonce, u64 first) {
  u32 state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // "expand 32-byte k"
  std::memcpy(state + 4, key, 32);
  state[14] = static_cast<u32>(nonce);
  state[15] = static_cast<u32>(nonce >> 32);
  for (; blocks >= kBlocks; blocks -= kBlocks, first += kBlocks, out += kBlocks * kBlock)
    eight_blocks(out, state, first);
  if (blocks == 0) return;
  std::uint8_t last[kBlocks * kBlock];
  eight_blocks(last, state, first);
  std::memcpy(out, last, blocks * kBlock);
}

std::size_t take_below(u64* out, std::size_t room, const std::uint8_t* in, std::size_t candidates,
                       const Modulus& m) {
  // A candidate lies in two neighbouring 32-bit words: of 6 bytes it begins at an even byte, and shorter ones
  // fit from any.
  const std::size_t bytes = candidate_bytes(m.q);
  alignas(32) u32 halves[8];
  alignas(32) u64 shifts[4];
  for (u32 k = 0; k < 4; ++k) {
    const u32 at = k * static_cast<u32>(bytes);
    halves[2 * k] = at / 4;
    halves[2 * k + 1] = at / 4 + 1;
    shifts[k] = 8 * (at % 4);
  }
  const Words place = load(halves), shift = load(shifts);
  const Words mask = _mm256_set1_epi64x((1LL << bit_width(m.q)) - 1);
  const Words q = _mm256_set1_epi64x(static_cast<long long>(m.q));
  std::size_t taken = 0;
  for (std::size_t k = 0; k < candidates; k += 4, in += 4 * bytes) {
    const Words words = _mm256_permutevar8x32_epi32(load(in), place);
    const Words x = _mm256_and_si256(_mm256_srlv_epi64(words, shift), mask);
    const auto below =
        static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(q, x))));
    const Words kept = _mm256_permutevar8x32_epi32(x, load(kCompaction.order[below]));
    const auto count = static_cast<std::size_t>(__builtin_popcount(below));
    if (taken + 4 <= room) {
      _mm256_storeu_si256(reinterpret_cast<Words*>(out + taken), kept);
      taken += count;
      continue;
    }
    u64 last[4];
    _mm256_storeu_si256(reinterpret_cast<Words*>(last), kept);
    for (std::size_t i = 0; i < count && taken < room; ++i) out[taken++] = last[i];
    if (taken == room) break;
  }
  return taken;
}

}  // namespace velum::kernels::avx2
