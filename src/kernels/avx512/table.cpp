#include "kernels/avx512/avx512.h"

namespace velum::kernels::avx512 {

const Table& table() {
  static constexpr Table kTable = {
      .name = "avx512",
      .ntt_forward = ntt_forward,
      .ntt_inverse = ntt_inverse,
      .add = add,
      .subtract = subtract,
      .negate = negate,
      .multiply = multiply,
      .multiply_add = multiply_add,
      .multiply_scalar = multiply_scalar,
      .multiply_scalar_add = multiply_scalar_add,
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
      .key_stream = key_stream,
      .take_below = take_below,
      .hash_blocks = hash_blocks,
  };
  return kTable;
}

}  // namespace velum::kernels::avx512
