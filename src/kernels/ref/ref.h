// The reference kernels: the definition of every entry of the table, in scalar code. See table.h for the
// contracts.
#pragma once

#include "kernels/table.h"

namespace velum::kernels::ref {

// ntt.cpp
void ntt_forward(u64* x, const NttTables& t);
void ntt_inverse(u64* x, const NttTables& t);

// pointwise.cpp
void add(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m);
void subtract(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m);
void negate(u64* out, const u64* a, std::size_t n, const Modulus& m);
void multiply(u64* out, const u64* a, const u64* b, std::size_t n, const Modulus& m);
void multiply_add(u64* acc, const u64* a, const u64* b, std::size_t n, const Modulus& m);
void multiply_scalar(u64* out, const u64* a, const Factor& w, std::size_t n, const Modulus& m);
void multiply_scalar_add(u64* acc, const u64* a, const Factor& w, std::size_t n, const Modulus& m);
void add_scalar(u64* out, const u64* a, u64 w, std::size_t n, const Modulus& m);
void subtract_multiply_scalar(u64* out, const u64* a, const u64* b, const Factor& w, std::size_t n,
                              const Modulus& m);
void square_terms(u64* s0, u64* s1, u64* s2, const u64* c0, const u64* c1, std::size_t n, const Modulus& m);
void sum_squares(u64* const* out, const u64* const* c0, const u64* const* c1, const SquareSums& sums,
                 const u64* bias, std::size_t n, const Modulus& m);
void permute(u64* out, const u64* in, const std::uint32_t* source, std::size_t n);
void from_int32(u64* out, const std::int32_t* x, std::size_t n, const Modulus& m);
void from_int64(u64* out, const std::int64_t* x, std::size_t n, const Modulus& m);

// base_conversion.cpp
void key_product(u64* out0, u64* out1, const u64* const* x, const u64* const* key0, const u64* const* key1,
                 std::size_t digits, std::size_t n, const Modulus& m);
void base_scale(u64* const* y, std::uint8_t* v, const u64* const* in, std::size_t n, const BaseConversion& c);
void base_sum(u64* out, const u64* const* y, const std::uint8_t* v, std::size_t n, const BaseConversion& c,
              std::size_t target);

// digits.cpp
void split_pair(std::int16_t* panel, std::size_t tile_stride, const u64* a, const u64* b, std::size_t columns,
                int digits, const Modulus& m);
void digit_product(u64* const* out, const std::int16_t* panel, std::size_t tile_stride, std::size_t tiles,
                   int digits, const DigitGroup& group, const u64* bias, const Modulus& m);

// runs.cpp
void run_product(u64* const* out, const u64* const* x, const RunWeights& w, std::size_t first,
                 std::size_t columns, bool accumulate, const Modulus& m);
void add_runs(u64* out, const u64* a, const u64* w, std::size_t runs, std::size_t n, const Modulus& m);

// bits.cpp
void pack_bits(std::uint8_t* out, const u64* x, std::size_t n, int bits);
u64 unpack_bits(u64* out, const std::uint8_t* in, std::size_t n, int bits);

// expansion.cpp
void key_stream(std::uint8_t* out, std::size_t blocks, const std::uint8_t* key, u64 nonce, u64 first);
std::size_t take_below(u64* out, std::size_t room, const std::uint8_t* in, std::size_t candidates,
                       const Modulus& m);

// blake2b.cpp
void hash_blocks(u64* state, const std::uint8_t* const* in, std::size_t blocks, u64 counted, bool last);

// table.cpp
const Table& table();

}  // namespace velum::kernels::ref
