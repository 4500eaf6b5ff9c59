// The table of kernels: one function pointer each, filled once at first use with the best variant that this
// processor runs, or with the one named by the environment variable VELUM_KERNELS (ref, avx2, avx512).
//
// Contracts: limbs are arrays of n residues in [0, q), n a multiple of 16 unless said otherwise; outputs are
// fully reduced to [0, q). Outputs may be the same array as an input, never overlap it otherwise. Every
// variant gives the same bits as `ref`. With VELUM_VERIFY the contracts are asserted by a checking layer
// around each variant.
#pragma once

#include <span>
#include <string_view>

#include "kernels/types.h"

namespace velum::kernels {

struct Table {
  const char* name;

  // In place. Coefficients to evaluations and back, fold included (see NttTables).
  void (*ntt_forward)(u64* x, const NttTables& t);
  void (*ntt_inverse)(u64* x, const NttTables& t);

  // out[i] = a[i] + b[i], a[i] - b[i], -a[i], a[i] * b[i]
  void (*add)(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m);
  void (*subtract)(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m);
  void (*negate)(u64* out, const u64* a, std::size_t n, const Modulus& m);
  void (*multiply)(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m);
  // acc[i] += a[i] * b[i]
  void (*multiply_add)(u64* acc, const u64* a, const u64* b, std::size_t n, const Modulus& m);
  // out[i] = w * a[i]; and acc[i] += w * a[i]
  void (*multiply_scalar)(u64* out, const u64* a, const Factor& w, std::size_t n, const Modulus& m);
  void (*multiply_scalar_add)(u64* acc, const u64* a, const Factor& w, std::size_t n, const Modulus& m);
  // out[i] = a[i] + w
  void (*add_scalar)(u64* out, const u64* a, u64 w, std::size_t n, const Modulus& m);
  // out[i] = (a[i] - b[i]) * w: the last step of rescale and mod-down
  void (*subtract_multiply_scalar)(u64* out, const u64* a, const u64* b, const Factor& w, std::size_t n,
                                   const Modulus& m);
  // The three polynomials of (c0 + c1 s)^2: s0 = c0^2, s1 = 2 c0 c1, s2 = c1^2. Any n that is a multiple
  // of 16.
  void (*square_terms)(u64* s0, u64* s1, u64* s2, const u64* c0, const u64* c1, std::size_t n,
                       const Modulus& m);

  // Sums of squares of inputs c0[k] + c1[k] s, three polynomials each: with +- as SquareSums tells,
  //   out[3 t][i] = bias[t] + sum +-c0^2, out[3 t + 1][i] = sum +-2 c0 c1, out[3 t + 2][i] = sum +-c1^2
  // for sum t. bias is null or [sums] residues. Outputs lie apart from the inputs.
  void (*sum_squares)(u64* const* out, const u64* const* c0, const u64* const* c1, const SquareSums& sums,
                      const u64* bias, std::size_t n, const Modulus& m);

  // out[i] = in[source[i]], an automorphism of the ring (ring/automorphism.h): every aligned group of eight
  // outputs comes, permuted, from one aligned group of eight inputs, and so does every group of four. out
  // lies apart from in.
  void (*permute)(u64* out, const u64* in, const std::uint32_t* source, std::size_t n);

  // Key-switch inner product of `digits` polynomials with two key polynomials each, reduced once at the end:
  // out0[i] = sum_d x[d][i] * key0[d][i], out1[i] = sum_d x[d][i] * key1[d][i]. 1 <= digits <= 64.
  void (*key_product)(u64* out0, u64* out1, const u64* const* x, const u64* const* key0,
                      const u64* const* key1, std::size_t digits, std::size_t n, const Modulus& m);

  // The two halves of a base conversion (see BaseConversion): the scaled sources y and the quotient v, once,
  // and then the sum for one target of c. in, y: [sources] arrays, y[i] may be in[i]; v: n bytes.
  void (*base_scale)(u64* const* y, std::uint8_t* v, const u64* const* in, std::size_t n,
                     const BaseConversion& c);
  void (*base_sum)(u64* out, const u64* const* y, const std::uint8_t* v, std::size_t n,
                   const BaseConversion& c, std::size_t target);

  // Signed small integers to residues: out[i] = x[i] mod q, |x[i]| < 2^31; and 64-bit ones, |x[i]| < 2^62.
  void (*from_int32)(u64* out, const std::int32_t* x, std::size_t n, const Modulus& m);
  void (*from_int64)(u64* out, const std::int64_t* x, std::size_t n, const Modulus& m);

  // Splits `columns` (a multiple of kTile) residues of two inputs (b may be null: zero) into the pair's place
  // in a panel: for tile t and digit d, panel[t * tile_stride + d * 2 * kTile + 2 * column + member], in
  // int16 units.
  void (*split_pair)(std::int16_t* panel, std::size_t tile_stride, const u64* a, const u64* b,
                     std::size_t columns, int digits, const Modulus& m);

  // out[row][column] = bias[row] + sum over pairs and members of weight * input  mod q, for one group and
  // `tiles` tiles of the panel; bias is null or [rows] residues. tile_stride in int16 units. May store past
  // the caches: a fence (std::atomic_thread_fence) is needed before other threads read `out`.
  void (*digit_product)(u64* const* out, const std::int16_t* panel, std::size_t tile_stride,
                        std::size_t tiles, int digits, const DigitGroup& group, const u64* bias,
                        const Modulus& m);

  // One run of columns of an affine layer whose weights differ by column, for columns [first, first +
  // columns):
  //   out[row][column] = (accumulate ? out[row][column] : 0) + sum over inputs of w[row][input]
  //   x[input][column]  mod q.
  // `columns` is a multiple of 8; outputs lie apart from the inputs; weights are residues.
  void (*run_product)(u64* const* out, const u64* const* x, const RunWeights& w, std::size_t first,
                      std::size_t columns, bool accumulate, const Modulus& m);
  // Adds a plaintext that is constant on `runs` runs of n / runs columns (a multiple of 8) each:
  // out[i] = a[i] + w[i / (n / runs)].
  void (*add_runs)(u64* out, const u64* a, const u64* w, std::size_t runs, std::size_t n, const Modulus& m);

  // Wire format: n values of `bits` bits each (1..48), little-endian bit order, n * bits / 8 bytes (n
  // multiple of 8).
  void (*pack_bits)(std::uint8_t* out, const u64* x, std::size_t n, int bits);
  // Returns the largest of the values.
  u64 (*unpack_bits)(u64* out, const std::uint8_t* in, std::size_t n, int bits);

  // The two halves of expanding a public seed (ring::expand_uniform); nothing secret goes through them, for
  // they leave key and state where they were.
  //
  // `blocks` blocks of 64 bytes of the key stream of ChaCha20 as first published: key of 32 bytes, 64-bit
  // nonce, and the 64-bit counter of the first block.
  void (*key_stream)(std::uint8_t* out, std::size_t blocks, const std::uint8_t* key, u64 nonce, u64 first);
  // Candidate k is the little-endian integer of bytes [k w, (k + 1) w) of `in`, w = candidate_bytes(q), cut
  // to the bit width of q. Those below q go to `out` in order, `room` of them at the most; returns how many.
  // `candidates` is a multiple of 8, and kCandidateSlack bytes beyond the last one can be read.
  std::size_t (*take_below)(u64* out, std::size_t room, const std::uint8_t* in, std::size_t candidates,
                            const Modulus& m);

  // BLAKE2b of kHashLanes public messages side by side: state[8 * kHashLanes], word k of message i at
  // k * kHashLanes + i, takes in `blocks` blocks of kHashBlock bytes from each in[i]. `counted` is how many
  // bytes of each message there are up to the end of the first of them; with `last`, a single block ends the
  // messages.
  void (*hash_blocks)(u64* state, const std::uint8_t* const* in, std::size_t blocks, u64 counted, bool last);
};

// The variant in use.
const Table& table();
// Every variant that this build holds and this processor runs, `ref` first.
std::span<const Table* const> available_tables();
// A variant by name; throws Error(user) naming the available ones where it is not to be had.
const Table& table_named(std::string_view name);
// Replaces the variant in use (tests and benchmarks; not to be called while others compute).
void use_table(const Table& t);

// Both halves of a base conversion, for all targets; out: [targets] arrays apart from the inputs. Takes
// memory of its own.
void base_convert(const Table& t, u64* const* out, const u64* const* in, std::size_t n,
                  const BaseConversion& c);

Modulus make_modulus(u64 q);
Factor make_factor(u64 w, const Modulus& m);  // w < q

}  // namespace velum::kernels
