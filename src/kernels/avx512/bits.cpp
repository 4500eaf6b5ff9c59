// Eight values of `bits` bits are `bits` bytes: one vector in, one masked vector out.
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {

// Output word w holds the values i with overlapping bit ranges [i bits, (i+1) bits) and [64 w, 64 w + 64).
// Term t brings the t-th of them into place by a permutation and two shifts, one of which is by zero; absent
// terms are shifted out (a count of 64 gives zero).
void pack_bits(std::uint8_t* out, const u64* x, std::size_t n, int bits) {
  struct Term {
    alignas(64) u64 source[8], left[8], right[8];
  };
  Term terms[8];
  int count = 0;
  for (int w = 0; w < 8; ++w) {
    int t = 0;
    for (int i = 64 * w / bits; i < 8 && i * bits < 64 * w + 64; ++i, ++t) {
      const int shift = i * bits - 64 * w;
      terms[t].source[w] = static_cast<u64>(i);
      terms[t].left[w] = static_cast<u64>(shift > 0 ? shift : 0);
      terms[t].right[w] = static_cast<u64>(shift < 0 ? -shift : 0);
    }
    if (t > count) count = t;
    for (; t < 8; ++t) {
      terms[t].source[w] = 0;
      terms[t].left[w] = 64;
      terms[t].right[w] = 0;
    }
  }
  const __mmask64 bytes = (u64{1} << bits) - 1;
  for (std::size_t i = 0; i < n; i += 8, out += bits) {
    const Words v = load(x + i);
    Words packed = _mm512_setzero_si512();
    for (int t = 0; t < count; ++t) {
      const Words moved = _mm512_permutexvar_epi64(load(terms[t].source), v);
      packed = _mm512_or_si512(
          packed, _mm512_srlv_epi64(_mm512_sllv_epi64(moved, load(terms[t].left)), load(terms[t].right)));
    }
    _mm512_mask_storeu_epi8(out, bytes, packed);
  }
}

u64 unpack_bits(u64* out, const std::uint8_t* in, std::size_t n, int bits) {
  alignas(64) u64 first[8], next[8], right[8], left[8];
  for (int i = 0; i < 8; ++i) {
    const int at = i * bits;
    first[i] = static_cast<u64>(at / 64);
    next[i] = static_cast<u64>(at / 64 + 1);  // at most 6: beyond the loaded bytes it reads zero
    right[i] = static_cast<u64>(at % 64);
    left[i] = static_cast<u64>(64 - at % 64);
  }
  const __mmask64 bytes = (u64{1} << bits) - 1;
  const Words mask = splat((u64{1} << bits) - 1);
  Words largest = _mm512_setzero_si512();
  for (std::size_t i = 0; i < n; i += 8, in += bits) {
    const Words v = _mm512_maskz_loadu_epi8(bytes, in);
    const Words low = _mm512_srlv_epi64(_mm512_permutexvar_epi64(load(first), v), load(right));
    const Words high = _mm512_sllv_epi64(_mm512_permutexvar_epi64(load(next), v), load(left));
    const Words x = _mm512_and_si512(_mm512_or_si512(low, high), mask);
    store(out + i, x);
    largest = _mm512_max_epu64(largest, x);
  }
  return static_cast<u64>(_mm512_reduce_max_epu64(largest));
}

}  // namespace velum::kernels::avx512
