// The checking layer of verify builds (-DVELUM_VERIFY=ON): a table whose entries hold the arguments of a
// variant to the contracts of table.h before the call, and its outputs after it. A breach throws
// Error(failure) naming the kernel.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "kernels/table.h"

namespace velum::kernels {

template <const Table& (*Inner)()>
struct Checked {
  static void require(bool holds, const char* kernel, const char* contract) {
    if (!holds)
      fail("kernels: {} ({}): contract broken: {}; this is a defect of Velum, please report it", kernel,
           Inner().name, contract);
  }
  static void residues(const u64* x, std::size_t n, u64 q, const char* kernel) {
    for (std::size_t i = 0; i < n; ++i) {
      if (x[i] >= q)
        fail(
            "kernels: {} ({}): element {} is {}, not below the modulus {}; this is a defect of Velum, please "
            "report it",
            kernel, Inner().name, i, x[i], q);
    }
  }
  static void shape(std::size_t n, const Modulus& m, const char* kernel) {
    require(n % 16 == 0, kernel, "the length is a multiple of 16");
    require(modulus_in_range(m.q), kernel, kModulusRange);
  }
  static bool apart(const u64* a, const u64* b, std::size_t n) { return a == b || a + n <= b || b + n <= a; }

  template <auto Entry>
  static void transform(u64* x, const NttTables& t) {
    require(t.n >= 8 && (t.n & (t.n - 1)) == 0, "ntt", "the length is a power of two, 8 or more");
    residues(x, t.n, t.modulus.q, "ntt input");
    (Inner().*Entry)(x, t);
    residues(x, t.n, t.modulus.q, "ntt output");
  }
  // out, a, b
  template <auto Entry, bool ReadsOut = false>
  static void binary(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m) {
    shape(n, m, "element-wise");
    require(apart(out, a, n) && apart(out, b, n), "element-wise",
            "outputs equal an input or lie apart from it");
    residues(a, n, m.q, "element-wise input");
    residues(b, n, m.q, "element-wise input");
    if (ReadsOut) residues(out, n, m.q, "element-wise accumulator");
    (Inner().*Entry)(out, a, b, n, m);
    residues(out, n, m.q, "element-wise output");
  }
  static void negate(u64* out, const u64* a, std::size_t n, const Modulus& m) {
    shape(n, m, "negate");
    residues(a, n, m.q, "negate input");
    Inner().negate(out, a, n, m);
    residues(out, n, m.q, "negate output");
  }
  template <auto Entry, bool ReadsOut>
  static void scalar(u64* out, const u64* a, const Factor& w, std::size_t n, const Modulus& m) {
    shape(n, m, "multiply by a scalar");
    require(w.value < m.q, "multiply by a scalar", "the factor is below q");
    residues(a, n, m.q, "multiply by a scalar, input");
    if (ReadsOut) residues(out, n, m.q, "multiply by a scalar, accumulator");
    (Inner().*Entry)(out, a, w, n, m);
    residues(out, n, m.q, "multiply by a scalar, output");
  }
  static void add_scalar(u64* out, const u64* a, u64 w, std::size_t n, const Modulus& m) {
    shape(n, m, "add_scalar");
    require(w < m.q, "add_scalar", "the scalar is below q");
    residues(a, n, m.q, "add_scalar input");
    Inner().add_scalar(out, a, w, n, m);
    residues(out, n, m.q, "add_scalar output");
  }
  static void subtract_multiply_scalar(u64* out, const u64* a, const u64* b, const Factor& w, std::size_t n,
                                       const Modulus& m) {
    shape(n, m, "subtract_multiply_scalar");
    require(w.value < m.q, "subtract_multiply_scalar", "the factor is below q");
    residues(a, n, m.q, "subtract_multiply_scalar input");
    residues(b, n, m.q, "subtract_multiply_scalar input");
    Inner().subtract_multiply_scalar(out, a, b, w, n, m);
    residues(out, n, m.q, "subtract_multiply_scalar output");
  }
  static void square_terms(u64* s0, u64* s1, u64* s2, const u64* c0, const u64* c1, std::size_t n,
                           const Modulus& m) {
    shape(n, m, "square_terms");
    for (const u64* c : {c0, c1}) residues(c, n, m.q, "square_terms input");
    Inner().square_terms(s0, s1, s2, c0, c1, n, m);
    for (const u64* s : {s0, s1, s2}) residues(s, n, m.q, "square_terms output");
  }
  static void sum_squares(u64* const* out, const u64* const* c0, const u64* const* c1, const SquareSums& s,
                          const u64* bias, std::size_t n, const Modulus& m) {
    shape(n, m, "sum_squares");
    if (bias) residues(bias, s.sums, m.q, "sum_squares bias");
    for (std::size_t t = 0; t < s.sums; ++t) {
      require(s.begin[t] < s.begin[t + 1], "sum_squares", "no sum is empty");
      require(s.begin[t] <= s.subtracted[t] && s.subtracted[t] <= s.begin[t + 1], "sum_squares",
              "those subtracted follow those added");
      for (std::size_t k = s.begin[t]; k < s.begin[t + 1]; ++k)
        require(s.index[k] < s.inputs, "sum_squares", "inputs are below their number");
    }
    for (std::size_t k = 0; k < s.inputs; ++k) {
      for (const u64* c : {c0[k], c1[k]}) {
        residues(c, n, m.q, "sum_squares input");
        for (std::size_t o = 0; o < 3 * s.sums; ++o)
          require(out[o] != c && apart(out[o], c, n), "sum_squares", "outputs lie apart from the inputs");
      }
    }
    Inner().sum_squares(out, c0, c1, s, bias, n, m);
    for (std::size_t o = 0; o < 3 * s.sums; ++o) residues(out[o], n, m.q, "sum_squares output");
  }
  static void permute(u64* out, const u64* in, const std::uint32_t* source, std::size_t n) {
    require(n % 16 == 0, "permute", "the length is a multiple of 16");
    require(out + n <= in || in + n <= out, "permute", "the output lies apart from the input");
    for (std::size_t i = 0; i < n; ++i)
      require(
          source[i] < n && source[i] / 4 == source[i / 4 * 4] / 4 && source[i] / 8 == source[i / 8 * 8] / 8,
          "permute", "aligned groups of four and eight stay together");
    Inner().permute(out, in, source, n);
  }
  static void key_product(u64* out0, u64* out1, const u64* const* x, const u64* const* key0,
                          const u64* const* key1, std::size_t digits, std::size_t n, const Modulus& m) {
    shape(n, m, "key_product");
    require(digits >= 1 && digits <= kMaxKeyDigits, "key_product", "1 to 64 digits");
    for (std::size_t d = 0; d < digits; ++d) {
      for (const u64* p : {x[d], key0[d], key1[d]}) residues(p, n, m.q, "key_product input");
    }
    Inner().key_product(out0, out1, x, key0, key1, digits, n, m);
    for (const u64* p : {out0, out1}) residues(p, n, m.q, "key_product output");
  }
  static void base_scale(u64* const* y, std::uint8_t* v, const u64* const* in, std::size_t n,
                         const BaseConversion& c) {
    require(c.sources >= 1 && c.sources <= 64 && n % 16 == 0, "base_scale",
            "1 to 64 sources, a length in sixteens");
    for (std::size_t i = 0; i < c.sources; ++i) residues(in[i], n, c.source_moduli[i].q, "base_scale input");
    Inner().base_scale(y, v, in, n, c);
    for (std::size_t i = 0; i < c.sources; ++i) residues(y[i], n, c.source_moduli[i].q, "base_scale output");
  }
  static void base_sum(u64* out, const u64* const* y, const std::uint8_t* v, std::size_t n,
                       const BaseConversion& c, std::size_t target) {
    require(c.sources >= 1 && c.sources <= 64 && n % 16 == 0 && target < c.targets, "base_sum",
            "1 to 64 sources, a length in sixteens, a target of the conversion");
    for (std::size_t i = 0; i < c.sources; ++i) residues(y[i], n, c.source_moduli[i].q, "base_sum input");
    require(std::all_of(v, v + n, [&](std::uint8_t k) { return k <= c.sources; }), "base_sum",
            "the quotient is at most the number of sources");
    Inner().base_sum(out, y, v, n, c, target);
    residues(out, n, c.target_moduli[target].q, "base_sum output");
  }
  static void from_int32(u64* out, const std::int32_t* x, std::size_t n, const Modulus& m) {
    shape(n, m, "from_int32");
    Inner().from_int32(out, x, n, m);
    residues(out, n, m.q, "from_int32 output");
  }
  static void from_int64(u64* out, const std::int64_t* x, std::size_t n, const Modulus& m) {
    shape(n, m, "from_int64");
    const std::int64_t limit = std::int64_t{1} << 62;
    require(std::all_of(x, x + n, [&](std::int64_t v) { return -limit < v && v < limit; }), "from_int64",
            "|x| < 2^62");
    Inner().from_int64(out, x, n, m);
    residues(out, n, m.q, "from_int64 output");
  }
  static void split_pair(std::int16_t* panel, std::size_t tile_stride, const u64* a, const u64* b,
                         std::size_t columns, int digits, const Modulus& m) {
    shape(columns, m, "split_pair");
    require(digits == digit_count(m.q), "split_pair", "the number of digits is that of the modulus");
    residues(a, columns, m.q, "split_pair input");
    if (b) residues(b, columns, m.q, "split_pair input");
    Inner().split_pair(panel, tile_stride, a, b, columns, digits, m);
  }
  static void digit_product(u64* const* out, const std::int16_t* panel, std::size_t tile_stride,
                            std::size_t tiles, int digits, const DigitGroup& g, const u64* bias,
                            const Modulus& m) {
    shape(tiles * kTile, m, "digit_product");
    require(digits == digit_count(m.q), "digit_product", "the number of digits is that of the modulus");
    require(g.run_pairs > 0 || g.pairs == 0, "digit_product", "runs are not empty");
    if (bias) residues(bias, g.rows, m.q, "digit_product bias");
    for (std::size_t b = 0; b < row_block_count(g.rows); ++b) {
      const RowBlock rows = row_block(g.rows, b);
      const std::size_t count = rows.end - rows.begin;
      for (std::size_t r = 0; r < count; ++r) {
        std::int64_t run = 0, all = 0;
        for (std::size_t p = 0; p < g.pairs; ++p) {
          const std::int16_t* w = g.weights + (rows.begin * g.pairs + p * count + r) * 2;
          const std::int64_t size = std::abs(std::int64_t{w[0]}) + std::abs(std::int64_t{w[1]});
          run = p % g.run_pairs == 0 ? size : run + size;
          all += size;
          require(run <= 65535, "digit_product", "sum |w| <= 65535 in every run");
        }
        require(g.reduce_each_run || static_cast<u128>(all) * m.q < (u128{1} << 64), "digit_product",
                "sum |w| q < 2^64, or the sum is reduced after each run");
      }
    }
    Inner().digit_product(out, panel, tile_stride, tiles, digits, g, bias, m);
    for (std::size_t r = 0; r < g.rows; ++r) residues(out[r], tiles * kTile, m.q, "digit_product output");
  }
  static void run_product(u64* const* out, const u64* const* x, const RunWeights& w, std::size_t first,
                          std::size_t columns, bool accumulate, const Modulus& m) {
    shape(columns * 2, m, "run_product");
    residues(w.weights, w.rows * w.inputs, m.q, "run_product weight");
    for (std::size_t k = 0; k < w.inputs; ++k) {
      residues(x[k] + first, columns, m.q, "run_product input");
      for (std::size_t r = 0; r < w.rows; ++r)
        require(out[r] != x[k] && apart(out[r] + first, x[k] + first, columns), "run_product",
                "outputs lie apart from the inputs");
    }
    for (std::size_t r = 0; r < w.rows && accumulate; ++r)
      residues(out[r] + first, columns, m.q, "run_product accumulator");
    Inner().run_product(out, x, w, first, columns, accumulate, m);
    for (std::size_t r = 0; r < w.rows; ++r) residues(out[r] + first, columns, m.q, "run_product output");
  }
  static void add_runs(u64* out, const u64* a, const u64* w, std::size_t runs, std::size_t n,
                       const Modulus& m) {
    require(runs >= 1 && n % (8 * runs) == 0, "add_runs", "runs have a multiple of 8 columns");
    shape(n * 2, m, "add_runs");
    require(apart(out, a, n), "add_runs", "the output equals the input or lies apart from it");
    residues(w, runs, m.q, "add_runs plaintext");
    residues(a, n, m.q, "add_runs input");
    Inner().add_runs(out, a, w, runs, n, m);
    residues(out, n, m.q, "add_runs output");
  }
  static void pack_bits(std::uint8_t* out, const u64* x, std::size_t n, int bits) {
    require(bits >= 1 && bits <= 48 && n % 8 == 0, "pack_bits", "1 to 48 bits, a length in eights");
    residues(x, n, u64{1} << bits, "pack_bits input");
    Inner().pack_bits(out, x, n, bits);
  }
  static u64 unpack_bits(u64* out, const std::uint8_t* in, std::size_t n, int bits) {
    require(bits >= 1 && bits <= 48 && n % 8 == 0, "unpack_bits", "1 to 48 bits, a length in eights");
    const u64 largest = Inner().unpack_bits(out, in, n, bits);
    residues(out, n, u64{1} << bits, "unpack_bits output");
    return largest;
  }
  static void hash_blocks(u64* state, const std::uint8_t* const* in, std::size_t blocks, u64 counted,
                          bool last) {
    require(!last || blocks == 1, "hash_blocks", "one block ends the messages");
    Inner().hash_blocks(state, in, blocks, counted, last);
  }
  static std::size_t take_below(u64* out, std::size_t room, const std::uint8_t* in, std::size_t candidates,
                                const Modulus& m) {
    require(candidates % 8 == 0, "take_below", "candidates in eights");
    require(candidate_bytes(m.q) >= 3 && candidate_bytes(m.q) <= 6, "take_below", "3 to 6 bytes each");
    const std::size_t taken = Inner().take_below(out, room, in, candidates, m);
    require(taken <= room && taken <= candidates, "take_below", "no more than room and candidates allow");
    residues(out, taken, m.q, "take_below output");
    return taken;
  }

  static const Table& table() {
    static const Table kTable = {
        .name = Inner().name,
        .ntt_forward = transform<&Table::ntt_forward>,
        .ntt_inverse = transform<&Table::ntt_inverse>,
        .add = binary<&Table::add>,
        .subtract = binary<&Table::subtract>,
        .negate = negate,
        .multiply = binary<&Table::multiply>,
        .multiply_add = binary<&Table::multiply_add, true>,
        .multiply_scalar = scalar<&Table::multiply_scalar, false>,
        .multiply_scalar_add = scalar<&Table::multiply_scalar_add, true>,
        .add_scalar = add_scalar,
        .subtract_multiply_scalar = subtract_multiply_scalar,
        .square_terms = square_terms,
        .sum_squares = sum_squares,
        .permute = permute,
        .key_product = key_product,
        .base_scale = base_scale,
        .base_sum = base_sum,
        .from_int32 = from_int32,
        .from_int64 = from_int64,
        .split_pair = split_pair,
        .digit_product = digit_product,
        .run_product = run_product,
        .add_runs = add_runs,
        .pack_bits = pack_bits,
        .unpack_bits = unpack_bits,
        .key_stream = Inner().key_stream,
        .take_below = take_below,
        .hash_blocks = hash_blocks,
    };
    return kTable;
  }
};

}  // namespace velum::kernels
