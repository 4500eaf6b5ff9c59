// Inverse transform. A butterfly (u, v) -> (u + v, (u - v) w) with lazy values: the product is below 2q, the
// sum doubles its bound, and what has reached 16q < 2^52 is reduced before it is added again.
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ntt.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::avx512 {
namespace {

struct Inverse {
  Prime p;
  Roots roots;
  Words four_q, eight_q;

  explicit Inverse(const NttTables& t)
      : p(t.modulus.q),
        roots{t.inverse_roots, t.inverse_roots_quotient52},
        four_q(splat(4 * t.modulus.q)),
        eight_q(splat(8 * t.modulus.q)) {}

  // [0, Bq) with `bound` = Bq, B <= 8 -> sums in [0, 2Bq), products in [0, 2q)
  void butterfly(Words& u, Words& v, const Twiddle& w, Words bound) const {
    const Words difference = _mm512_add_epi64(_mm512_sub_epi64(u, v), bound);
    u = _mm512_add_epi64(u, v);
    v = p.add_product(_mm512_setzero_si512(), difference, w.w, w.quotient52);
  }

  // Two levels over vectors at quarter strides. [0, 4q) -> [0, 4q): the one sum of sums is reduced.
  void radix4(Words (&x)[4], const Twiddle& w1, const Twiddle& w2, const Twiddle& w3) const {
    butterfly(x[0], x[1], w2, four_q);
    butterfly(x[2], x[3], w3, four_q);
    butterfly(x[0], x[2], w1, eight_q);
    butterfly(x[1], x[3], w1, p.twice_q);
    x[0] = p.reduce_lazy(x[0]);
  }
  // [0, 4q) -> [0, 8q)
  void radix2(Words (&x)[2], const Twiddle& w) const { butterfly(x[0], x[1], w, four_q); }

  // The three lowest levels on two vectors. [0, q) -> [0, 8q)
  void lowest(Words& a, Words& b, std::size_t node) const {
    Words x3 = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 2, 8, 10, 4, 6, 12, 14), b);
    Words y3 = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(1, 3, 9, 11, 5, 7, 13, 15), b);
    butterfly(x3, y3, roots.spread<8>(4 * node, places2()), p.twice_q);
    Words x2 = _mm512_unpacklo_epi64(x3, y3), y2 = _mm512_unpackhi_epi64(x3, y3);
    butterfly(x2, y2, roots.spread<4>(2 * node, places4()), p.twice_q);
    Words x = _mm512_permutex2var_epi64(x2, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), y2);
    Words y = _mm512_permutex2var_epi64(x2, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), y2);
    butterfly(x, y, roots.spread<2>(node, places8()), four_q);
    a = _mm512_shuffle_i64x2(x, y, 0x44);
    b = _mm512_shuffle_i64x2(x, y, 0xee);
  }

  // The five lowest levels of `count` blocks of kLeaf elements. [0, q) -> [0, 4q)
  void leaves(u64* x, std::size_t first, std::size_t count) const {
    for (std::size_t node = first; node < first + count; ++node, x += kLeaf) {
      Words v[4];
      for (std::size_t k = 0; k < 4; ++k) v[k] = load(x + 8 * k);
      lowest(v[0], v[1], 4 * node);
      lowest(v[2], v[3], 4 * node + 2);
      butterfly(v[0], v[1], roots.splat_at(2 * node), eight_q);
      butterfly(v[2], v[3], roots.splat_at(2 * node + 1), eight_q);
      v[0] = p.reduce_lazy(v[0]);
      v[2] = p.reduce_lazy(v[2]);
      const Twiddle w = roots.splat_at(node);
      butterfly(v[0], v[2], w, p.twice_q);
      butterfly(v[1], v[3], w, p.twice_q);
      for (std::size_t k = 0; k < 4; ++k) store(x + 8 * k, v[k]);
    }
  }

  // A radix-4 pass that joins the children and grandchildren of `count` nodes of `size` elements from `first`
  // on.
  void quarter_blocks(u64* x, std::size_t first, std::size_t count, std::size_t size) const {
    const std::size_t step = size / 4;
    for (std::size_t node = first; node < first + count; ++node, x += size) {
      const Twiddle w1 = roots.splat_at(node), w2 = roots.splat_at(2 * node),
                    w3 = roots.splat_at(2 * node + 1);
      for (std::size_t i = 0; i < step; i += 8) {
        Words v[4];
        for (std::size_t k = 0; k < 4; ++k) v[k] = load(x + i + k * step);
        radix4(v, w1, w2, w3);
        for (std::size_t k = 0; k < 4; ++k) store(x + i + k * step, v[k]);
      }
    }
  }

  // All levels below and at node `node` of `size` elements; an even number of them lies above the leaves.
  void subtree(u64* x, std::size_t node, std::size_t size) const {
    if (size > kCached) {
      for (std::size_t k = 0; k < 4; ++k) subtree(x + k * (size / 4), 4 * node + k, size / 4);
      quarter_blocks(x, node, 1, size);
      return;
    }
    const std::size_t count = size / kLeaf;
    leaves(x, node * count, count);
    for (std::size_t block = 4 * kLeaf; block <= size; block *= 4) {
      quarter_blocks(x, node * (size / block), size / block, block);
    }
  }

  // The last levels, Columns = 2^levels, with the unfold where asked (see Forward::top), and the factor 1/n.
  // [0, 4q) -> [0, q)
  template <int Columns>
  void top(u64* x, const NttTables& t) const {
    const std::size_t step = t.n / Columns;
    const Twiddle w1 = roots.splat_at(1), w2 = roots.splat_at(Columns == 4 ? 2 : 1),
                  w3 = roots.splat_at(Columns == 4 ? 3 : 1);
    const SplatFactor psi(t.psi), factor(t.n_inverse);
    const auto levels = [&](Words(&v)[Columns]) __attribute__((always_inline)) {
      if constexpr (Columns == 2) radix2(v, w1);
      if constexpr (Columns == 4) radix4(v, w1, w2, w3);
    };
    const auto scaled = [&](Words v) __attribute__((always_inline)) {
      return p.subtract_once(p.clear(p.add_product(_mm512_setzero_si512(), v, factor.w, factor.quotient52)));
    };
    if (!t.fold) {
      for (std::size_t i = 0; i < step; i += 8) {
        Words a[Columns];
        for (std::size_t k = 0; k < Columns; ++k) a[k] = load(x + i + k * step);
        levels(a);
        for (std::size_t k = 0; k < Columns; ++k) store(x + i + k * step, scaled(a[k]));
      }
      return;
    }
    Words first[Columns];
    for (std::size_t k = 0; k < Columns; ++k) first[k] = splat(x[k * step]);
    for (std::size_t i = 1; i < step / 2; i += 8) {
      const std::size_t mirror = step - i - 7;
      Words a[Columns], b[Columns];
      for (std::size_t k = 0; k < Columns; ++k) {
        a[k] = load(x + i + k * step);
        b[k] = reverse(load(x + mirror + k * step));
      }
      levels(a);
      levels(b);
      for (std::size_t k = 0; k < Columns; ++k) {
        const Words unfolded_a = p.add_product(a[k], b[Columns - 1 - k], psi.w, psi.quotient52);
        const Words unfolded_b = p.add_product(b[Columns - 1 - k], a[k], psi.w, psi.quotient52);
        store(x + i + k * step, scaled(unfolded_a));
        store(x + mirror + (Columns - 1 - k) * step, reverse(scaled(unfolded_b)));
      }
    }
    levels(first);
    Words unfolded[Columns];
    unfolded[0] = _mm512_add_epi64(first[0], first[0]);  // below 16q
    for (std::size_t k = 1; k < Columns; ++k) {
      unfolded[k] = p.add_product(first[k], first[Columns - k], psi.w, psi.quotient52);
    }
    for (std::size_t k = 0; k < Columns; ++k) _mm512_mask_storeu_epi64(x + k * step, 1, scaled(unfolded[k]));
  }
};

}  // namespace

void ntt_inverse(u64* x, const NttTables& t) {
  if (t.n < kSmallest) return ref::ntt_inverse(x, t);
  const Inverse f(t);
  const int levels = levels_with_fold(t.n);
  const std::size_t columns = std::size_t{1} << levels;
  for (std::size_t k = 0; k < columns; ++k) f.subtree(x + k * (t.n / columns), columns + k, t.n / columns);
  if (levels == 0) f.top<1>(x, t);
  if (levels == 1) f.top<2>(x, t);
  if (levels == 2) f.top<4>(x, t);
}

}  // namespace velum::kernels::avx512
