// Plain data that kernels read: constants of a modulus, tables of a transform, a group of a digit matrix
// product. Everything here is a view or a value; src/ring and src/engine own the memory behind it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace velum::kernels {

using u64 = std::uint64_t;
using u128 = unsigned __int128;

// Columns of a panel tile, and the largest number of rows that one pass of the digit product handles.
inline constexpr std::size_t kTile = 16;
inline constexpr std::size_t kMaxRows = 8;

// The bounds of a modulus q, neither of which it reaches, and both as messages state them.
//
// Below 2^20 a modulus wastes a limb: a residue takes a word, and time in every pass, however small q is.
//
// The upper bound lets three balanced 16-bit digits, each in [-2^15, 2^15), hold a centred residue
//   x = d0 + d1 2^16 + d2 2^32.
// For |x| <= (q - 1) / 2 < 2^47 - 2^32 = (2^15 - 1) 2^32 and |d0 + d1 2^16| <= 2^31 + 2^15, so that
// |d2| < 2^15 - 1 + 1/2 + 2^-17, and an integer: it is at most 2^15 - 1 in size.
inline constexpr u64 kModulusAbove = u64{1} << 20, kModulusBelow = (u64{1} << 48) - (u64{1} << 33);
inline constexpr const char* kModulusRange = "2^20 < q < 2^48 - 2^33";
[[gnu::always_inline]] constexpr bool modulus_in_range(u64 q) {
  return q > kModulusAbove && q < kModulusBelow;
}

// Digits that one key product sums at most, and with them moduli of a ciphertext, for a digit of a key switch
// has one modulus at least. The sums of every variant hold them: 64 products of residues are below
// 2^6 2^96 = 2^102 in 128 bits, avx512 has room for 128 of them, and avx2 reduces as it goes.
inline constexpr std::size_t kMaxKeyDigits = 64;

// A prime q, kModulusAbove < q < kModulusBelow.
struct Modulus {
  u64 q = 0;
  double inverse = 0;    // 1/q, rounded to nearest
  u64 barrett_high = 0;  // floor(2^128 / q), high and low words: reduction of 128-bit products
  u64 barrett_low = 0;
};

// Bytes of a candidate for a uniform residue modulo q, and how far past the last one it may be read.
[[gnu::always_inline]] constexpr int bit_width(u64 q) {
  return 64 - __builtin_clzll(q);
}
[[gnu::always_inline]] constexpr std::size_t candidate_bytes(u64 q) {
  return static_cast<std::size_t>(bit_width(q) + 7) / 8;
}
inline constexpr std::size_t kCandidateSlack = 32;

// BLAKE2b (RFC 7693): messages that are hashed at once, bytes of a block, the initial words, and the order in
// which the rounds take the words of a block.
inline constexpr std::size_t kHashLanes = 8, kHashBlock = 128;
inline constexpr u64 kHashStart[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                      0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                      0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
inline constexpr std::uint8_t kHashOrder[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                                    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                                    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                                    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                                    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                                    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                                    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                                    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                                    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                                    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

// A constant factor w < q with its Shoup quotients, for products w*x mod q at one multiplication and a half.
struct Factor {
  u64 value = 0;
  u64 quotient64 = 0;  // floor(w * 2^64 / q)
  u64 quotient52 = 0;  // floor(w * 2^52 / q)
};

// Number-theoretic transform modulo X^n - zeta^n, by splitting X^m - r^2 into (X^{m/2} - r)(X^{m/2} + r).
// zeta is a primitive 4n-th root of unity (real ring: zeta^n = psi, psi^2 = -1) or a primitive 2n-th one
// (standard ring: zeta^n = -1). Node i of level l (i < 2^l) has index 2^l + i; roots[2^l + i] is the r that
// splits it. The n outputs are the evaluations at the leaves in the order the tree gives (bit-reversed
// exponents).
struct NttTables {
  std::size_t n = 0;  // a power of two, 8 or more
  Modulus modulus;
  const u64* roots = nullptr;             // n entries, entry 0 unused
  const u64* roots_quotient64 = nullptr;  // Shoup quotients of roots
  const u64* roots_quotient52 = nullptr;
  const u64* inverse_roots = nullptr;  // inverses of roots, same indices
  const u64* inverse_roots_quotient64 = nullptr;
  const u64* inverse_roots_quotient52 = nullptr;
  Factor n_inverse;  // 1/n, or 1/(2n) in the real ring (the unfold's halving included)
  // Real ring only (fold = true): b_0 = a_0, b_i = a_i - psi * a_{n-i} before the forward transform, and
  // 2 a_i = b_i + psi * b_{n-i}, 2 a_0 = 2 b_0 after the inverse.
  bool fold = false;
  Factor psi;
};

// Constants of a base conversion from k source moduli m_0..m_{k-1}, M their product, to target moduli q_j.
// The source is read as the centred integer x, |x| <= M/2:
//   y_i = x_i * (M/m_i)^-1 mod m_i,  v = nearest integer to sum y_i/m_i (summed in order i = 0.. in double),
//   out_j = sum_i y_i * (M/m_i mod q_j) - v * (M mod q_j)  mod q_j.
// k = 1 is the centred lift of one residue.
struct BaseConversion {
  std::size_t sources = 0, targets = 0;
  const Modulus* source_moduli = nullptr;     // [sources]
  const Factor* punctured_inverse = nullptr;  // [sources], (M/m_i)^-1 mod m_i
  const Modulus* target_moduli = nullptr;     // [targets]
  const u64* punctured = nullptr;             // [targets][sources], M/m_i mod q_j
  const u64* product = nullptr;               // [targets], M mod q_j
};

// One group of an affine layer: `rows` outputs that read the same `pairs` pairs of inputs.
//
// A panel holds the inputs of one polynomial, one limb and `tiles * kTile` columns, as balanced signed 16-bit
// digits of the centred residue x = d0 + d1 2^16 (+ d2 2^32): int16 panel[tile][pair][digit][column of
// kTile][2], the last index being the two members of the pair (an absent member is zero).
//
// Weights are int16 w[block][pair][row of block][2]; rows are cut into blocks of at most kMaxRows by
// row_blocks(). The contract that keeps int32 accumulators exact: within every run of `run_pairs` consecutive
// pairs (counted from the first), sum |w| <= 65535 for each row.
struct DigitGroup {
  std::size_t rows = 0;
  std::size_t pairs = 0;
  const std::uint32_t* pair_slots = nullptr;  // [pairs], slot of each pair in the panel
  const std::int16_t* weights = nullptr;
  std::size_t run_pairs = 0;
  // True where a row's whole sum |w| * q may reach 2^64: the 64-bit sum is then reduced after every run.
  bool reduce_each_run = false;
  // True where the outputs are read again soon: they are then stored through the caches.
  bool keep_near = false;
};

// Sums of squares over common inputs: sum t takes inputs index[begin[t] .. begin[t + 1]), one or more, of
// which those before index[subtracted[t]] are added.
struct SquareSums {
  std::size_t sums = 0;
  std::size_t inputs = 0;                     // c0[0 .. inputs), c1[0 .. inputs)
  const std::uint32_t* begin = nullptr;       // [sums + 1]
  const std::uint32_t* subtracted = nullptr;  // [sums]
  const std::uint32_t* index = nullptr;       // [begin[sums]], below `inputs`
};

// The weights of an affine layer that differ by column: residues modulo the limb's q, one matrix for each run
// of columns on which they are constant (ckks/core/periodic.h). w[block][input][row of block], rows cut into
// blocks by row_block() as in a DigitGroup; run_weight() gives the place of one.
struct RunWeights {
  std::size_t rows = 0;
  std::size_t inputs = 0;
  const u64* weights = nullptr;  // [rows * inputs]
};

// The functions here are always inlined: files compiled for a newer processor must not emit copies that the
// linker could choose for the rest of the program.
//
// Rows are cut into ceil(rows / kMaxRows) blocks of near-equal size; block b has rows [begin, end).
struct RowBlock {
  std::size_t begin, end;
};
[[gnu::always_inline]] constexpr std::size_t row_block_count(std::size_t rows) {
  return (rows + kMaxRows - 1) / kMaxRows;
}
[[gnu::always_inline]] constexpr RowBlock row_block(std::size_t rows, std::size_t b) {
  const std::size_t count = row_block_count(rows);
  return {rows * b / count, rows * (b + 1) / count};
}

// The place of a weight in a RunWeights of `rows` rows and `inputs` inputs.
[[gnu::always_inline]] constexpr std::size_t run_weight(std::size_t rows, std::size_t inputs, std::size_t row,
                                                        std::size_t input) {
  std::size_t b = row * row_block_count(rows) / rows;  // of its block, or one too small
  if (row_block(rows, b).end <= row) ++b;
  const RowBlock block = row_block(rows, b);
  return block.begin * inputs + input * (block.end - block.begin) + row - block.begin;
}

// Number of 16-bit digits of a centred residue x modulo q: two where q < 2^31.9, else as many as any q needs.
//
// Two are enough there: |x| < 2^30.9 < 2^31 - 2^16 = (2^15 - 1) 2^16 and |d0| <= 2^15, so that the upper
// digit is below 2^15 - 1 + 1/2 in size. (They are up to q = 2^32 - 2^17; 2^31.9 is the bound that was set.)
//
// As an integer the bound is floor(2^31.9). That is even, so that no modulus, odd as it is, lies between.
inline constexpr int kMostDigits = 3;
inline constexpr double kTwoDigitBits = 31.9;
inline constexpr u64 kTwoDigitModulus = 4007346184;
[[gnu::always_inline]] constexpr int digit_count(u64 q) {
  return q < kTwoDigitModulus ? 2 : kMostDigits;
}
// The same of a modulus that is wanted and not found yet, by its size in bits.
[[gnu::always_inline]] constexpr int digit_count_of_bits(double bits) {
  return bits < kTwoDigitBits ? 2 : kMostDigits;
}

}  // namespace velum::kernels
