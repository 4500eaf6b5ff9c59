// Transforms in doubles (see doubles.h): residues become signed integers held as doubles, in place, and words
// again in the last pass. Values grow by 0.9 q a level, or double, and are reduced before they exceed 4.1 q.
#include "kernels/avx2/avx2.h"
#include "kernels/avx2/doubles.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::avx2 {
namespace {

constexpr std::size_t kSmallest = 16;

// The array while it holds doubles. All accesses go through vector loads and stores, or through these.
inline Reals load_reals(const u64* p) {
  return _mm256_castsi256_pd(load(p));
}
inline void store_reals(u64* p, Reals v) {
  store(p, _mm256_castpd_si256(v));
}
inline Reals reverse(Reals x) {
  return _mm256_permute4x64_pd(x, 0x1b);
}

struct Twiddle {
  Reals w, ratio;
  Twiddle(Reals root, const Prime& p) : w(root), ratio(_mm256_mul_pd(root, p.inverse)) {}
};

inline Twiddle splat_root(u64 r, const Prime& p) {
  return {splat_real(static_cast<double>(r)), p};
}

// Two vectors of four consecutive elements A, B to (A0 A1 B0 B1, A2 A3 B2 B3) and to (A0 B0 A2 B2, A1 B1 A3
// B3), and back: both arrangements are their own inverses.
inline void swap_halves(Reals& a, Reals& b) {
  const Reals x = _mm256_permute2f128_pd(a, b, 0x20), y = _mm256_permute2f128_pd(a, b, 0x31);
  a = x;
  b = y;
}
inline void swap_neighbours(Reals& a, Reals& b) {
  const Reals x = _mm256_unpacklo_pd(a, b), y = _mm256_unpackhi_pd(a, b);
  a = x;
  b = y;
}

// (A0 A1 B0 B1): nodes k and k + 1.
inline Twiddle roots_of_fours(const u64* roots, const Prime& p) {
  const __m128i two = _mm_loadu_si128(reinterpret_cast<const __m128i*>(roots));
  return {to_reals(_mm256_permute4x64_epi64(_mm256_castsi128_si256(two), 0x50)), p};
}
// After both swaps the places hold A0 A2 B0 B2: four nodes in order.
inline Twiddle roots_of_twos(const u64* roots, const Prime& p) {
  return {to_reals(load(roots)), p};
}

// Forward butterfly (a, b) -> (a + w b, a - w b).
inline void forward_butterfly(Reals& a, Reals& b, const Twiddle& t, const Prime& p) {
  const Reals w = p.product(b, t.w, t.ratio);
  b = _mm256_sub_pd(a, w);
  a = _mm256_add_pd(a, w);
}
// Inverse butterfly (u, v) -> (u + v, (u - v) w).
inline void inverse_butterfly(Reals& u, Reals& v, const Twiddle& t, const Prime& p) {
  const Reals d = _mm256_sub_pd(u, v);
  u = _mm256_add_pd(u, v);
  v = p.product(d, t.w, t.ratio);
}

// Words to doubles, centred, with the fold. [0, q) -> at most 1.42 q in size.
void enter_forward(u64* x, const NttTables& t, const Prime& p) {
  const std::size_t n = t.n;
  if (!t.fold) {
    for (std::size_t i = 0; i < n; i += 4) store_reals(x + i, p.reduce(to_reals(load(x + i))));
    return;
  }
  const Twiddle psi = splat_root(t.psi.value, p);
  const Reals first = p.reduce(to_reals(splat(x[0])));
  for (std::size_t i = 1; i < n / 2;
       i += 4) {  // in the last round element n/2 is in both and stored twice, equal
    const std::size_t mirror = n - i - 3;
    const Reals a = p.reduce(to_reals(load(x + i))), b = p.reduce(reverse(to_reals(load(x + mirror))));
    store_reals(x + i, _mm256_sub_pd(a, p.product(b, psi.w, psi.ratio)));
    store_reals(x + mirror, reverse(_mm256_sub_pd(b, p.product(a, psi.w, psi.ratio))));
  }
  _mm_storel_pd(reinterpret_cast<double*>(x), _mm256_castpd256_pd128(first));
}

// The unfold, the factor 1/n and doubles to words. [-4q, 4q] -> [0, q)
void leave_inverse(u64* x, const NttTables& t, const Prime& p) {
  const std::size_t n = t.n;
  const Twiddle factor = splat_root(t.n_inverse.value, p);
  const auto finish = [&](Reals v) { return p.raise(p.product(v, factor.w, factor.ratio)); };
  if (!t.fold) {
    for (std::size_t i = 0; i < n; i += 4) store(x + i, to_words(finish(load_reals(x + i))));
    return;
  }
  const Twiddle psi = splat_root(t.psi.value, p);
  const Reals start = p.reduce(load_reals(x));
  const Words first = to_words(finish(_mm256_add_pd(start, start)));
  for (std::size_t i = 1; i < n / 2; i += 4) {
    const std::size_t mirror = n - i - 3;
    const Reals a = p.reduce(load_reals(x + i)), b = p.reduce(reverse(load_reals(x + mirror)));
    const Reals unfolded_a = _mm256_add_pd(a, p.product(b, psi.w, psi.ratio));
    const Reals unfolded_b = _mm256_add_pd(b, p.product(a, psi.w, psi.ratio));
    store(x + i, to_words(finish(unfolded_a)));
    store(x + mirror, to_words(reverse(finish(unfolded_b))));
  }
  _mm_storel_epi64(reinterpret_cast<__m128i*>(x), _mm256_castsi256_si128(first));
}

}  // namespace

void ntt_forward(u64* x, const NttTables& t) {
  if (t.n < kSmallest) return ref::ntt_forward(x, t);
  const Prime p(t.modulus);
  const std::size_t n = t.n;
  enter_forward(x, t, p);
  double bound = 1.42;  // of the values, in units of q
  std::size_t blocks = 1, size = n;
  const auto grow = [&](double by) {  // true where `a` must be reduced first
    const bool reduce = bound + by > 4.1;
    bound = (reduce ? 0.51 : bound) + by;
    return reduce;
  };
  for (; size >= 32; blocks *= 4, size /= 4) {  // two levels a pass
    const bool reduce = grow(1.8);
    const std::size_t step = size / 4;
    for (std::size_t i = 0; i < blocks; ++i) {
      const Twiddle w1 = splat_root(t.roots[blocks + i], p), w2 = splat_root(t.roots[2 * (blocks + i)], p),
                    w3 = splat_root(t.roots[2 * (blocks + i) + 1], p);
      u64* y = x + i * size;
      for (std::size_t j = 0; j < step; j += 4) {
        Reals v0 = load_reals(y + j), v1 = load_reals(y + j + step), v2 = load_reals(y + j + 2 * step),
              v3 = load_reals(y + j + 3 * step);
        if (reduce) {
          v0 = p.reduce(v0);
          v1 = p.reduce(v1);
        }
        forward_butterfly(v0, v2, w1, p);
        forward_butterfly(v1, v3, w1, p);
        forward_butterfly(v0, v1, w2, p);
        forward_butterfly(v2, v3, w3, p);
        store_reals(y + j, v0);
        store_reals(y + j + step, v1);
        store_reals(y + j + 2 * step, v2);
        store_reals(y + j + 3 * step, v3);
      }
    }
  }
  // Blocks of 16 or 8 are left. The lowest three levels work on two vectors.
  if (size == 16) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const Twiddle w = splat_root(t.roots[blocks + i], p);
      u64* y = x + 16 * i;
      for (std::size_t j = 0; j < 8; j += 4) {
        Reals a = p.reduce(load_reals(y + j)), b = load_reals(y + j + 8);
        forward_butterfly(a, b, w, p);
        store_reals(y + j, a);
        store_reals(y + j + 8, b);
      }
    }
    blocks *= 2;
  }
  for (std::size_t i = 0; i < blocks; ++i) {
    u64* y = x + 8 * i;
    Reals a = p.reduce(load_reals(y)), b = load_reals(y + 4);
    forward_butterfly(a, b, splat_root(t.roots[blocks + i], p), p);
    swap_halves(a, b);
    forward_butterfly(a, b, roots_of_fours(t.roots + 2 * (blocks + i), p), p);
    swap_neighbours(a, b);  // A0 A2 B0 B2, A1 A3 B1 B3
    forward_butterfly(a, b, roots_of_twos(t.roots + 4 * (blocks + i), p), p);
    a = p.raise(p.reduce(a));
    b = p.raise(p.reduce(b));
    swap_neighbours(a, b);
    swap_halves(a, b);
    store(y, to_words(a));
    store(y + 4, to_words(b));
  }
}

void ntt_inverse(u64* x, const NttTables& t) {
  if (t.n < kSmallest) return ref::ntt_inverse(x, t);
  const Prime p(t.modulus);
  const std::size_t n = t.n;
  const u64* roots = t.inverse_roots;
  // Sums double and are reduced; products are at most 0.9 q.
  std::size_t blocks = n / 8, size = 8;
  for (std::size_t i = 0; i < blocks; ++i) {
    u64* y = x + 8 * i;
    Reals a = p.reduce(to_reals(load(y))), b = p.reduce(to_reals(load(y + 4)));
    swap_halves(a, b);
    swap_neighbours(a, b);
    inverse_butterfly(a, b, roots_of_twos(roots + 4 * (blocks + i), p), p);
    swap_neighbours(a, b);
    inverse_butterfly(a, b, roots_of_fours(roots + 2 * (blocks + i), p), p);
    swap_halves(a, b);
    a = p.reduce(a);
    b = p.reduce(b);
    inverse_butterfly(a, b, splat_root(roots[blocks + i], p), p);
    store_reals(y, a);
    store_reals(y + 4, b);
  }
  // Between passes: at most 1.02 q. The differences of a pass of two levels are at most 4.08 q.
  if (__builtin_ctzll(n) % 2 == 0) {
    blocks /= 2;
    size = 16;
    for (std::size_t i = 0; i < blocks; ++i) {
      const Twiddle w = splat_root(roots[blocks + i], p);
      u64* y = x + 16 * i;
      for (std::size_t j = 0; j < 8; j += 4) {
        Reals a = load_reals(y + j), b = load_reals(y + j + 8);
        inverse_butterfly(a, b, w, p);
        store_reals(y + j, p.reduce(a));
        store_reals(y + j + 8, b);
      }
    }
  }
  while (size < n) {
    blocks /= 4;
    size *= 4;
    const std::size_t step = size / 4;
    for (std::size_t i = 0; i < blocks; ++i) {
      const Twiddle w1 = splat_root(roots[blocks + i], p), w2 = splat_root(roots[2 * (blocks + i)], p),
                    w3 = splat_root(roots[2 * (blocks + i) + 1], p);
      u64* y = x + i * size;
      for (std::size_t j = 0; j < step; j += 4) {
        Reals v0 = load_reals(y + j), v1 = load_reals(y + j + step), v2 = load_reals(y + j + 2 * step),
              v3 = load_reals(y + j + 3 * step);
        inverse_butterfly(v0, v1, w2, p);
        inverse_butterfly(v2, v3, w3, p);
        inverse_butterfly(v0, v2, w1, p);
        inverse_butterfly(v1, v3, w1, p);
        store_reals(y + j, p.reduce(v0));
        store_reals(y + j + step, p.reduce(v1));
        store_reals(y + j + 2 * step, v2);
        store_reals(y + j + 3 * step, v3);
      }
    }
  }
  leave_inverse(x, t, p);
}

}  // namespace velum::kernels::avx2
