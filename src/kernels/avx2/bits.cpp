// Eight values of `bits` bits are `bits` bytes: two of them to each 128-bit lane.
#include <immintrin.h>

#include "kernels/avx2/avx2.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::avx2 {

namespace {

__m256i two_lanes(const std::uint8_t* low, const std::uint8_t* high) {
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(low))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1);
}

}  // namespace

// A lane is loaded from the byte in which its first value begins, so that value i begins at bit i bits mod 8,
// and the one after it ends before bit 7 + 2 * 48 of 128. Each takes the eight bytes from its first on.
u64 unpack_bits(u64* out, const std::uint8_t* in, std::size_t n, int bits) {
  std::size_t start[8];
  alignas(32) std::uint8_t source[2][32];
  alignas(32) u64 right[2][4];
  for (std::size_t i = 0; i < 8; ++i) {
    start[i] = i * static_cast<std::size_t>(bits) / 8;
    const std::size_t within = start[i] - start[i / 2 * 2];
    for (std::size_t b = 0; b < 8; ++b)
      source[i / 4][i % 4 * 8 + b] = static_cast<std::uint8_t>(within + b);  // at most 6 + 7
    right[i / 4][i % 4] = i * static_cast<std::size_t>(bits) % 8;
  }
  const auto load = [](const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); };
  const __m256i source0 = load(source[0]), source1 = load(source[1]);
  const __m256i right0 = load(right[0]), right1 = load(right[1]);
  const __m256i mask = _mm256_set1_epi64x((1LL << bits) - 1);
  __m256i largest = _mm256_setzero_si256();
  const auto* end = in + n / 8 * static_cast<std::size_t>(bits);
  const auto put = [&](u64* to, __m256i lanes, __m256i bytes, __m256i shift) {
    const __m256i x = _mm256_and_si256(_mm256_srlv_epi64(_mm256_shuffle_epi8(lanes, bytes), shift), mask);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x);
    largest = _mm256_blendv_epi8(largest, x, _mm256_cmpgt_epi64(x, largest));
  };
  std::size_t i = 0;
  for (; i < n && static_cast<std::size_t>(end - in) >= start[6] + 16; i += 8, in += bits) {
    put(out + i, two_lanes(in, in + start[2]), source0, right0);
    put(out + i + 4, two_lanes(in + start[4], in + start[6]), source1, right1);
  }
  alignas(32) u64 most[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(most), largest);
  u64 result = ref::unpack_bits(out + i, in, n - i, bits);  // what a load would read past
  for (const u64 m : most) result = m > result ? m : result;
  return result;
}

}  // namespace velum::kernels::avx2
