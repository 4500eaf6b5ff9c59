// Sixteen blocks of the cipher at a time, a word of each in a vector; eight candidates at a time.
#include <cstring>

#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {

namespace {

using u32 = std::uint32_t;

constexpr std::size_t kBlock = 64, kBlocks = 16;

inline Words splat32(u32 v) {
  return _mm512_set1_epi32(static_cast<int>(v));
}

inline void quarter_round(Words& a, Words& b, Words& c, Words& d) {
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 16);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 12);
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 8);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 7);
}

// Words 4 g .. 4 g + 3 of all blocks, one vector each, to the blocks' bytes 16 g .. 16 g + 15. Four blocks
// lie in the lanes of a vector after two steps of a transposition; the lanes are stored one by one, which
// takes none of the ports that the cipher is short of.
inline void store_words(std::uint8_t* out, const Words* x) {
  const Words a = _mm512_unpacklo_epi32(x[0], x[1]), b = _mm512_unpackhi_epi32(x[0], x[1]);
  const Words c = _mm512_unpacklo_epi32(x[2], x[3]), d = _mm512_unpackhi_epi32(x[2], x[3]);
  const Words rows[4] = {_mm512_unpacklo_epi64(a, c), _mm512_unpackhi_epi64(a, c),
                         _mm512_unpacklo_epi64(b, d), _mm512_unpackhi_epi64(b, d)};
  for (std::size_t j = 0; j < 4; ++j, out += kBlock) {  // blocks j, j + 4, j + 8, j + 12
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_castsi512_si128(rows[j]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4 * kBlock), _mm512_extracti32x4_epi32(rows[j], 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 8 * kBlock), _mm512_extracti32x4_epi32(rows[j], 2));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 12 * kBlock), _mm512_extracti32x4_epi32(rows[j], 3));
  }
}

// state: 16 words, of which 12 and 13 are the counter's.
void sixteen_blocks(std::uint8_t* out, const u32* state, u64 first) {
  const Words lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const Words low = _mm512_add_epi32(splat32(static_cast<u32>(first)), lane);
  const Words high = splat32(static_cast<u32>(first >> 32));
  const Words carried = _mm512_mask_add_epi32(high, _mm512_cmplt_epu32_mask(low, lane), high, splat32(1));
  Words x[16];
  for (int k = 0; k < 16; ++k) x[k] = k == 12 ? low : k == 13 ? carried : splat32(state[k]);
  for (int round = 0; round < 20; round += 2) {
    quarter_round(x[0], x[4], x[8], x[12]);
    quarter_round(x[1], x[5], x[9], x[13]);
    quarter_round(x[2], x[6], x[10], x[14]);
    quarter_round(x[3], x[7], x[11], x[15]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  for (int k = 0; k < 16; ++k)
    x[k] = _mm512_add_epi32(x[k], k == 12 ? low : k == 13 ? carried : splat32(state[k]));
  for (std::size_t g = 0; g < 4; ++g) store_words(out + 16 * g, x + 4 * g);
}

}  // namespace

void key_stream(std::uint8_t* out, std::size_t blocks, const std::uint8_t* key, u64 nonce, u64 first) {
  u32 state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // "expand 32-byte k"
  std::memcpy(state + 4, key, 32);
  state[14] = static_cast<u32>(nonce);
  state[15] = static_cast<u32>(nonce >> 32);
  for (; blocks >= kBlocks; blocks -= kBlocks, first += kBlocks, out += kBlocks * kBlock)
    sixteen_blocks(out, state, first);
  if (blocks == 0) return;
  std::uint8_t last[kBlocks * kBlock];
  sixteen_blocks(last, state, first);
  std::memcpy(out, last, blocks * kBlock);
}

std::size_t take_below(u64* out, std::size_t room, const std::uint8_t* in, std::size_t candidates,
                       const Modulus& m) {
  // A candidate lies in two neighbouring 32-bit words: of 6 bytes it begins at an even byte, and shorter ones
  // fit from any.
  const std::size_t bytes = candidate_bytes(m.q);
  alignas(64) u32 halves[16];
  alignas(64) u64 shifts[8];
  for (u32 k = 0; k < 8; ++k) {
    const u32 at = k * static_cast<u32>(bytes);
    halves[2 * k] = at / 4;
    halves[2 * k + 1] = at / 4 + 1;
    shifts[k] = 8 * (at % 4);
  }
  const Words place = _mm512_load_si512(halves), shift = _mm512_load_si512(shifts);
  const Words mask = splat((u64{1} << bit_width(m.q)) - 1), q = splat(m.q);
  const __mmask64 present = (u64{1} << (8 * bytes)) - 1;
  std::size_t taken = 0;
  for (std::size_t k = 0; k < candidates; k += 8, in += 8 * bytes) {
    const Words words = _mm512_permutexvar_epi32(place, _mm512_maskz_loadu_epi8(present, in));
    const Words x = _mm512_and_si512(_mm512_srlv_epi64(words, shift), mask);
    const __mmask8 below = _mm512_cmplt_epu64_mask(x, q);
    const Words kept = _mm512_maskz_compress_epi64(below, x);
    const auto count = static_cast<std::size_t>(__builtin_popcount(below));
    if (taken + 8 <= room) {
      store(out + taken, kept);
      taken += count;
      continue;
    }
    const std::size_t used = count < room - taken ? count : room - taken;
    _mm512_mask_storeu_epi64(out + taken, static_cast<__mmask8>((1u << used) - 1), kept);
    taken += used;
    if (taken == room) break;
  }
  return taken;
}

}  // namespace velum::kernels::avx512
