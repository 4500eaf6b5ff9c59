#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ifma.h"

namespace velum::kernels::avx512 {

namespace {

// Sums of squares of eight columns: at most 64 inputs between reductions (see Sum).
struct Squares {
  Sum s0, s1, s2;
  void add(Words a, Words b) {
    s0.add(a, a);
    s1.add(a, b);
    s2.add(b, b);
  }
  void subtract(Words a, Words b, Words q) {
    const Words minus_a = _mm512_sub_epi64(q, a);
    s0.add(minus_a, a);
    s1.add(minus_a, b);
    s2.add(_mm512_sub_epi64(q, b), b);
  }
};
constexpr std::size_t kProductsOfSum = 64;

// Of so many vectors at once: the multiply-adds of one wait for each other.
constexpr int kVectors = 2;
static_assert(8 * kVectors == kTile);

// Columns [i, i + kTile) of sum t.
[[gnu::always_inline]] inline void sum_tile(u64* const* out, const u64* const* c0, const u64* const* c1,
                                            const SquareSums& sums, std::size_t t, u64 bias, std::size_t i,
                                            const SumReducer& p) {
  Words t0[kVectors], t1[kVectors], t2[kVectors];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    t0[v] = splat(bias);
    t1[v] = t2[v] = _mm512_setzero_si512();
  }
  for (std::size_t begin = sums.begin[t], last = sums.begin[t + 1]; begin < last; begin += kProductsOfSum) {
    const std::size_t end = last - begin < kProductsOfSum ? last : begin + kProductsOfSum;
    const std::size_t turn = sums.subtracted[t];
    const std::size_t subtracted = turn < begin ? begin : turn < end ? turn : end;
    Squares squares[kVectors];
    for (std::size_t k = begin; k < subtracted; ++k) {
      const u64 *a = c0[sums.index[k]] + i, *b = c1[sums.index[k]] + i;
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) squares[v].add(load(a + 8 * v), load(b + 8 * v));
    }
    for (std::size_t k = subtracted; k < end; ++k) {
      const u64 *a = c0[sums.index[k]] + i, *b = c1[sums.index[k]] + i;
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) squares[v].subtract(load(a + 8 * v), load(b + 8 * v), p.q);
    }
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      t0[v] = p.subtract_once(_mm512_add_epi64(t0[v], p.reduce_sum(squares[v].s0)));
      t1[v] = p.subtract_once(_mm512_add_epi64(t1[v], p.reduce_sum(squares[v].s1)));
      t2[v] = p.subtract_once(_mm512_add_epi64(t2[v], p.reduce_sum(squares[v].s2)));
    }
  }
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    store(out[3 * t] + i + 8 * v, t0[v]);
    store(out[3 * t + 1] + i + 8 * v, p.subtract_once(_mm512_add_epi64(t1[v], t1[v])));
    store(out[3 * t + 2] + i + 8 * v, t2[v]);
  }
}

}  // namespace

void sum_squares(u64* const* out, const u64* const* c0, const u64* const* c1, const SquareSums& sums,
                 const u64* bias, std::size_t n, const Modulus& m) {
  const SumReducer p(m.q);
  constexpr std::size_t kAhead = 64;
  const auto fetch = [&](std::size_t from) __attribute__((always_inline)) {
    for (std::size_t k = 0; k < sums.inputs; ++k) {
      for (const u64* c : {c0[k], c1[k]}) {
        for (std::size_t j = 0; j < kAhead; j += 8)
          _mm_prefetch(reinterpret_cast<const char*>(c + from + j), _MM_HINT_T1);
      }
    }
  };
  fetch(0);
  for (std::size_t i = 0; i < n; i += kTile) {
    if (i % kAhead == 0 && i + kAhead < n) fetch(i + kAhead);
    for (std::size_t t = 0; t < sums.sums; ++t) sum_tile(out, c0, c1, sums, t, bias ? bias[t] : 0, i, p);
  }
}

}  // namespace velum::kernels::avx512
