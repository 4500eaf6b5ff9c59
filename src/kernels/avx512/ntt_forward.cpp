// Forward transform. A butterfly (a, b) -> (a + w b, a - w b) with lazy values: the product is below 2q
// whatever b is, so that values grow by 2q a level, and only a is reduced, once where the next pass would
// exceed 16q < 2^52.
#include "kernels/avx512/avx512.h"
#include "kernels/avx512/ntt.h"
#include "kernels/ref/ref.h"

namespace velum::kernels::avx512 {
namespace {

struct Forward {
  Prime p;
  Roots roots;

  explicit Forward(const NttTables& t) : p(t.modulus.q), roots{t.roots, t.roots_quotient52} {}

  // [0, Bq), any -> [0, (B+2)q)
  void butterfly(Words& a, Words& b, const Twiddle& w) const {
    const Words doubled = _mm512_add_epi64(_mm512_add_epi64(a, a), p.twice_q);
    a = p.add_product(a, b, w.w, w.quotient52);
    b = _mm512_sub_epi64(doubled, a);  // 2a + 2q - (a + wb)
  }

  // One or two levels over vectors at quarter strides: [0, Bq) -> [0, (B + 2 levels) q)
  void radix2(Words (&x)[2], const Twiddle& w) const { butterfly(x[0], x[1], w); }
  void radix4(Words (&x)[4], const Twiddle& w1, const Twiddle& w2, const Twiddle& w3) const {
    butterfly(x[0], x[2], w1);
    butterfly(x[1], x[3], w1);
    butterfly(x[0], x[1], w2);
    butterfly(x[2], x[3], w3);
  }

  // The first levels, Columns = 2^levels, with the fold where asked: column i holds the elements i + k
  // n/Columns. The fold joins element j with n - j, hence column i with column n/Columns - i. [0, q) -> [0,
  // 3q) for the fold, 2q more for each level.
  template <int Columns>
  void top(u64* x, const NttTables& t) const {
    const std::size_t step = t.n / Columns;
    const Twiddle w1 = roots.splat_at(1), w2 = roots.splat_at(Columns == 4 ? 2 : 1),
                  w3 = roots.splat_at(Columns == 4 ? 3 : 1);
    const auto levels = [&](Words(&v)[Columns]) __attribute__((always_inline)) {
      if constexpr (Columns == 2) radix2(v, w1);
      if constexpr (Columns == 4) radix4(v, w1, w2, w3);
    };
    if (!t.fold) {
      if (Columns == 1) return;
      for (std::size_t i = 0; i < step; i += 8) {
        Words a[Columns];
        for (std::size_t k = 0; k < Columns; ++k) a[k] = load(x + i + k * step);
        levels(a);
        for (std::size_t k = 0; k < Columns; ++k) store(x + i + k * step, a[k]);
      }
      return;
    }
    // -psi and its quotient: floor((q - psi) 2^52 / q), where psi 2^52 / q is no integer.
    const Words minus_psi = splat(t.modulus.q - t.psi.value), quotient = splat(kMask52 - t.psi.quotient52);
    Words first[Columns];  // column 0 in place 0 of vectors
    for (std::size_t k = 0; k < Columns; ++k) first[k] = splat(x[k * step]);
    // The last round has column step/2, its own mirror, in both halves and stores the same value twice.
    for (std::size_t i = 1; i < step / 2; i += 8) {
      const std::size_t mirror = step - i - 7;
      Words a[Columns], b[Columns], folded_a[Columns], folded_b[Columns];
      for (std::size_t k = 0; k < Columns; ++k) {
        a[k] = load(x + i + k * step);
        b[k] = reverse(load(x + mirror + k * step));
      }
      for (std::size_t k = 0; k < Columns; ++k) {
        folded_a[k] = p.add_product(a[k], b[Columns - 1 - k], minus_psi, quotient);
        folded_b[k] = p.add_product(b[k], a[Columns - 1 - k], minus_psi, quotient);
      }
      levels(folded_a);
      levels(folded_b);
      for (std::size_t k = 0; k < Columns; ++k) {
        store(x + i + k * step, folded_a[k]);
        store(x + mirror + k * step, reverse(folded_b[k]));
      }
    }
    Words folded[Columns];
    folded[0] = first[0];
    for (std::size_t k = 1; k < Columns; ++k) {
      folded[k] = p.add_product(first[k], first[Columns - k], minus_psi, quotient);
    }
    levels(folded);
    for (std::size_t k = 0; k < Columns; ++k) _mm512_mask_storeu_epi64(x + k * step, 1, folded[k]);
  }

  // A radix-4 pass over the blocks first .. first + count of a level: block i of node index `first + i`,
  // `size` elements each. [0, Bq) -> [0, (B+4)q), B + 4 <= 16; with Reduce, any -> [0, 6q).
  template <bool Reduce>
  void quarter_blocks(u64* x, std::size_t first, std::size_t count, std::size_t size) const {
    const std::size_t step = size / 4;
    for (std::size_t node = first; node < first + count; ++node, x += size) {
      const Twiddle w1 = roots.splat_at(node), w2 = roots.splat_at(2 * node),
                    w3 = roots.splat_at(2 * node + 1);
      for (std::size_t i = 0; i < step; i += 8) {
        Words v[4];
        for (std::size_t k = 0; k < 4; ++k) v[k] = load(x + i + k * step);
        if constexpr (Reduce) {
          v[0] = p.reduce_lazy(v[0]);
          v[1] = p.reduce_lazy(v[1]);
        }
        radix4(v, w1, w2, w3);
        for (std::size_t k = 0; k < 4; ++k) store(x + i + k * step, v[k]);
      }
    }
  }

  // The three lowest levels on two vectors, blocks of eight with nodes `node`, `node + 1`; reduced to [0, q)
  // at the end. [0, 6q) comes in.
  void lowest(Words& a, Words& b, std::size_t node) const {
    Words x = _mm512_shuffle_i64x2(a, b, 0x44), y = _mm512_shuffle_i64x2(a, b, 0xee);
    butterfly(x, y, roots.spread<2>(node, places8()));
    Words x2 = _mm512_shuffle_i64x2(x, y, 0x88), y2 = _mm512_shuffle_i64x2(x, y, 0xdd);
    butterfly(x2, y2, roots.spread<4>(2 * node, places4()));
    Words x3 = _mm512_unpacklo_epi64(x2, y2), y3 = _mm512_unpackhi_epi64(x2, y2);
    butterfly(x3, y3, roots.spread<8>(4 * node, places2()));
    x3 = p.reduce(x3);
    y3 = p.reduce(y3);
    a = _mm512_permutex2var_epi64(x3, _mm512_setr_epi64(0, 8, 1, 9, 4, 12, 5, 13), y3);
    b = _mm512_permutex2var_epi64(x3, _mm512_setr_epi64(2, 10, 3, 11, 6, 14, 7, 15), y3);
  }

  // The five lowest levels of `count` blocks of kLeaf elements. Any -> [0, q).
  void leaves(u64* x, std::size_t first, std::size_t count) const {
    for (std::size_t node = first; node < first + count; ++node, x += kLeaf) {
      Words v[4];
      for (std::size_t k = 0; k < 4; ++k) v[k] = load(x + 8 * k);
      v[0] = p.reduce_lazy(v[0]);
      v[1] = p.reduce_lazy(v[1]);
      radix4(v, roots.splat_at(node), roots.splat_at(2 * node), roots.splat_at(2 * node + 1));
      lowest(v[0], v[1], 4 * node);
      lowest(v[2], v[3], 4 * node + 2);
      for (std::size_t k = 0; k < 4; ++k) store(x + 8 * k, v[k]);
    }
  }

  // All levels from node `node` of `size` elements on, whose values are in [0, bound q). An even number of
  // levels lies above the leaves.
  void subtree(u64* x, std::size_t node, std::size_t size, int bound) const {
    std::size_t count = 1;
    for (std::size_t block = size; block > kLeaf; block /= 4, node *= 4, count *= 4) {
      if (block > kCached) {
        radix4_pass(x, node, 1, block, bound);
        for (std::size_t k = 0; k < 4; ++k)
          subtree(x + k * (block / 4), 4 * node + k, block / 4, next(bound));
        return;
      }
      radix4_pass(x, node, count, block, bound);
      bound = next(bound);
    }
    leaves(x, node, count);
  }

 private:
  static int next(int bound) { return bound > 12 ? 6 : bound + 4; }
  void radix4_pass(u64* x, std::size_t first, std::size_t count, std::size_t size, int bound) const {
    if (bound > 12) {
      quarter_blocks<true>(x, first, count, size);
    } else {
      quarter_blocks<false>(x, first, count, size);
    }
  }
};

}  // namespace

void ntt_forward(u64* x, const NttTables& t) {
  if (t.n < kSmallest) return ref::ntt_forward(x, t);
  const Forward f(t);
  const int levels = levels_with_fold(t.n);
  if (levels == 0) f.top<1>(x, t);
  if (levels == 1) f.top<2>(x, t);
  if (levels == 2) f.top<4>(x, t);
  const std::size_t columns = std::size_t{1} << levels;
  const int bound = (t.fold ? 3 : 1) + 2 * levels;
  for (std::size_t k = 0; k < columns; ++k)
    f.subtree(x + k * (t.n / columns), columns + k, t.n / columns, bound);
}

}  // namespace velum::kernels::avx512
