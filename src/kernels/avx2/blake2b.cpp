// BLAKE2b (RFC 7693) of four messages at once: word k of each in one vector.
#include <immintrin.h>

#include "kernels/avx2/avx2.h"

namespace velum::kernels::avx2 {

namespace {

using Words = __m256i;

constexpr std::size_t kLanes = 4;

inline Words load(const void* p) {
  return _mm256_loadu_si256(static_cast<const Words*>(p));
}
inline Words splat(u64 v) {
  return _mm256_set1_epi64x(static_cast<long long>(v));
}
inline Words sum(Words a, Words b) {
  return _mm256_add_epi64(a, b);
}
inline Words differ(Words a, Words b) {
  return _mm256_xor_si256(a, b);
}

// Rotations by whole bytes are shuffles.
struct Rotations {
  Words by24 = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,  //
                                3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
  Words by16 = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,  //
                                2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
};

inline void mix(Words& a, Words& b, Words& c, Words& d, Words x, Words y, const Rotations& r) {
  a = sum(sum(a, x), b);
  d = _mm256_shuffle_epi32(differ(d, a), 0xb1);
  c = sum(c, d);
  b = _mm256_shuffle_epi8(differ(b, c), r.by24);
  a = sum(sum(a, y), b);
  d = _mm256_shuffle_epi8(differ(d, a), r.by16);
  c = sum(c, d);
  const Words e = differ(b, c);
  b = _mm256_or_si256(_mm256_srli_epi64(e, 63), sum(e, e));
}

// Four words of each message, from byte `at` on, to a vector for each word.
inline void transpose(Words* words, const std::uint8_t* const* in, std::size_t at) {
  const Words a = load(in[0] + at), b = load(in[1] + at), c = load(in[2] + at), d = load(in[3] + at);
  const Words ab0 = _mm256_unpacklo_epi64(a, b), ab1 = _mm256_unpackhi_epi64(a, b);
  const Words cd0 = _mm256_unpacklo_epi64(c, d), cd1 = _mm256_unpackhi_epi64(c, d);
  words[0] = _mm256_permute2x128_si256(ab0, cd0, 0x20);
  words[1] = _mm256_permute2x128_si256(ab1, cd1, 0x20);
  words[2] = _mm256_permute2x128_si256(ab0, cd0, 0x31);
  words[3] = _mm256_permute2x128_si256(ab1, cd1, 0x31);
}

void four_messages(u64* state, const std::uint8_t* const* in, std::size_t blocks, u64 counted, bool last) {
  const Rotations r;
  Words h[8];
  for (std::size_t k = 0; k < 8; ++k) h[k] = load(state + k * kHashLanes);
  for (std::size_t i = 0; i < blocks; ++i) {
    Words m[16], v[16];
    for (std::size_t k = 0; k < 4; ++k) transpose(m + 4 * k, in, i * kHashBlock + 32 * k);
    for (int k = 0; k < 8; ++k) {
      v[k] = h[k];
      v[8 + k] = splat(kHashStart[k]);
    }
    v[12] = differ(v[12], splat(counted + i * kHashBlock));
    if (last) v[14] = splat(~kHashStart[6]);
#pragma GCC unroll 12
    for (int round = 0; round < 12; ++round) {
      const auto* s = kHashOrder[round % 10];
      mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]], r);
      mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]], r);
      mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]], r);
      mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]], r);
      mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]], r);
      mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]], r);
      mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]], r);
      mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]], r);
    }
    for (int k = 0; k < 8; ++k) h[k] = differ(h[k], differ(v[k], v[8 + k]));
  }
  for (std::size_t k = 0; k < 8; ++k)
    _mm256_storeu_si256(reinterpret_cast<Words*>(state + k * kHashLanes), h[k]);
}

}  // namespace

void hash_blocks(u64* state, const std::uint8_t* const* in, std::size_t blocks, u64 counted, bool last) {
  for (std::size_t lane = 0; lane < kHashLanes; lane += kLanes)
    four_messages(state + lane, in + lane, blocks, counted, last);
}

}  // namespace velum::kernels::avx2
