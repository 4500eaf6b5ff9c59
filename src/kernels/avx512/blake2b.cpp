// BLAKE2b (RFC 7693) of eight messages at once: word k of each in one vector.
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {

namespace {

static_assert(kHashLanes == 8);

inline Words sum(Words a, Words b) {
  return _mm512_add_epi64(a, b);
}
inline Words differ(Words a, Words b) {
  return _mm512_xor_si512(a, b);
}

inline void mix(Words& a, Words& b, Words& c, Words& d, Words x, Words y) {
  a = sum(sum(a, x), b);
  d = _mm512_ror_epi64(differ(d, a), 32);
  c = sum(c, d);
  b = _mm512_ror_epi64(differ(b, c), 24);
  a = sum(sum(a, y), b);
  d = _mm512_ror_epi64(differ(d, a), 16);
  c = sum(c, d);
  b = _mm512_ror_epi64(differ(b, c), 63);
}

// Eight words of each message, from byte `at` on, to a vector for each word: pairs of messages, then lanes.
inline void transpose(Words* words, const std::uint8_t* const* in, std::size_t at) {
  Words row[8], pair[8];
  for (int k = 0; k < 8; ++k) row[k] = _mm512_loadu_si512(in[k] + at);
  for (int k = 0; k < 8; k += 2) {
    pair[k] = _mm512_unpacklo_epi64(row[k], row[k + 1]);
    pair[k + 1] = _mm512_unpackhi_epi64(row[k], row[k + 1]);
  }
  for (int k = 0; k < 2; ++k) {
    const Words a = _mm512_shuffle_i64x2(pair[k], pair[k + 2], 0x88);
    const Words b = _mm512_shuffle_i64x2(pair[k], pair[k + 2], 0xdd);
    const Words c = _mm512_shuffle_i64x2(pair[k + 4], pair[k + 6], 0x88);
    const Words d = _mm512_shuffle_i64x2(pair[k + 4], pair[k + 6], 0xdd);
    words[k] = _mm512_shuffle_i64x2(a, c, 0x88);
    words[k + 2] = _mm512_shuffle_i64x2(b, d, 0x88);
    words[k + 4] = _mm512_shuffle_i64x2(a, c, 0xdd);
    words[k + 6] = _mm512_shuffle_i64x2(b, d, 0xdd);
  }
}

}  // namespace

void hash_blocks(u64* state, const std::uint8_t* const* in, std::size_t blocks, u64 counted, bool last) {
  Words h[8];
  for (int k = 0; k < 8; ++k) h[k] = load(state + 8 * k);
  for (std::size_t i = 0; i < blocks; ++i) {
    Words m[16], v[16];
    transpose(m, in, i * kHashBlock);
    transpose(m + 8, in, i * kHashBlock + 64);
    for (int k = 0; k < 8; ++k) {
      v[k] = h[k];
      v[8 + k] = splat(kHashStart[k]);
    }
    v[12] = differ(v[12], splat(counted + i * kHashBlock));
    if (last) v[14] = splat(~kHashStart[6]);
#pragma GCC unroll 12
    for (int round = 0; round < 12; ++round) {
      const auto* s = kHashOrder[round % 10];
      mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
      mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
      mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
      mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
      mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
      mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
      mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
      mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
    }
    for (int k = 0; k < 8; ++k) h[k] = _mm512_ternarylogic_epi64(h[k], v[k], v[8 + k], 0x96);
  }
  for (int k = 0; k < 8; ++k) store(state + 8 * k, h[k]);
}

}  // namespace velum::kernels::avx512
