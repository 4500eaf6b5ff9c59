// What the two directions of the transform share.
//
// A pass takes whole blocks of the tree through one or more levels in registers: the first (last) one through
// none to two, with the real ring's fold (unfold); then radix-4 passes, cache-sized subtree after subtree;
// the lowest five levels, of blocks of 32 elements, in four vectors.
#pragma once

#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {
namespace {

constexpr std::size_t kLeaf = 32;         // elements of the subtrees that the five lowest levels work on
constexpr std::size_t kCached = 4096;     // subtrees up to this many elements are taken level by level
constexpr std::size_t kSmallest = kLeaf;  // smaller transforms are left to the reference

inline Words reverse(Words x) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), x);
}

struct Twiddle {
  Words w, quotient52;
};

// The roots of one direction.
struct Roots {
  const u64* value;
  const u64* quotient52;

  Twiddle splat_at(std::size_t k) const { return {splat(value[k]), splat(quotient52[k])}; }
  // The `Count` roots from k on, spread over the places as `places` says.
  template <int Count>
  Twiddle spread(std::size_t k, Words places) const {
    return {_mm512_permutexvar_epi64(places, load_some<Count>(value + k)),
            _mm512_permutexvar_epi64(places, load_some<Count>(quotient52 + k))};
  }

 private:
  template <int Count>
  static Words load_some(const u64* p) {
    if constexpr (Count == 2)
      return _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    if constexpr (Count == 4)
      return _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    if constexpr (Count == 8) return load(p);
  }
};

// Where the roots of the three lowest levels go, for two vectors A, B of eight consecutive elements (A0 is
// A's first):
//   blocks of 8: x = A0-A3 B0-B3,             y = A4-A7 B4-B7
//   blocks of 4: x = A0 A1 B0 B1 A4 A5 B4 B5, y = A2 A3 B2 B3 A6 A7 B6 B7
//   blocks of 2: x = A0 A2 B0 B2 A4 A6 B4 B6, y = A1 A3 B1 B3 A5 A7 B5 B7
inline Words places8() {
  return _mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1);
}
inline Words places4() {
  return _mm512_setr_epi64(0, 0, 2, 2, 1, 1, 3, 3);
}
inline Words places2() {
  return _mm512_setr_epi64(0, 1, 4, 5, 2, 3, 6, 7);
}

// How many levels the pass with the fold takes: so many that an even number is left for the radix-4 passes.
inline int levels_with_fold(std::size_t n) {
  const int above_leaves = __builtin_ctzll(n) - __builtin_ctzll(kLeaf);
  return above_leaves == 0 ? 0 : (above_leaves % 2 == 0 ? 2 : 1);
}

}  // namespace
}  // namespace velum::kernels::avx512
